"""How what was found is told: to people, and as JSON."""

import json
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.reconcile.holes import MOST, Found, Hole, Kind, OpenEpoch

SHOWN = 20
OPEN_SHOWN = 5

WORDS = {
    Kind.miscounted: "came after the closing count, which says that there were no more",
    Kind.unjudged: "have neither decision nor dead letter, though govern has passed them",
    Kind.lost: "are neither in Kafka nor in ClickHouse (their actions are no longer in Kafka)",
    Kind.kafka: "have their row in ClickHouse, but no decision or dead letter in Kafka, which should hold it",
    Kind.clickhouse: "have their decision or dead letter in Kafka, but no row in ClickHouse, though the"
    " archive has passed them",
    Kind.doubled_kafka: "have more than one decision or dead letter in Kafka",
    Kind.doubled_clickhouse: "have more than one row in ClickHouse",
    Kind.sums: "counts otherwise than the decisions: `praetor db sums --remake` makes it anew",
    Kind.unknown: "have a decision or dead letter, but are not in agent.actions, which should hold them yet",
    Kind.undelivered: "were passed, but no receipt says that they were delivered",
    Kind.miscounted_receipt: "are not as many as their receipt counts: it, or the topic, was changed",
    Kind.destination: "were delivered by their receipt, but are not in the destination's file",
}


def report_json(found: Found) -> str:
    """One object: `ok`, the holes, open epochs, what each partition holds, remarks."""
    told = {
        "ok": found.ok,
        "counts": {kind.name: count for kind, count in found.counts.items()},
        "holes": [hole.to_json() for hole in found.holes],
        "open_epochs": found.opened,
        "open": [epoch.to_json() for epoch in found.open],
        "partitions": [vars(totals) for totals in found.totals],
        "destinations": [vars(delivered) for delivered in found.delivered],
        "remarks": found.remarks,
    }
    return json.dumps(told, ensure_ascii=False)


def tell(found: Found) -> None:
    """Print the table, the holes, the open epochs, the remarks and the sum."""
    console = Console(width=None if Console().is_terminal else 140, highlight=False, soft_wrap=True)
    console.print(_table(found))
    if found.delivered:
        console.print(_destinations(found))
    for hole in found.holes[:SHOWN]:
        console.print(Text(f"HOLE {hole.kind}: {describe(hole)}", style="red"))
    if len(found.holes) > SHOWN:
        more = f"{len(found.holes) - SHOWN} more" + (" at least" if len(found.holes) == MOST else "")
        console.print(f"... and {more} (--json prints them)", style="red")
    _tell_open(console, found)
    for remark in found.remarks:
        console.print(Text(remark))
    console.print(Text(_sum(found), style="bold green" if found.ok else "bold red"))


def describe(hole: Hole) -> str:
    """Where a hole is and what it means, in one sentence."""
    span = f"{hole.first}" if hole.first == hole.last else f"{hole.first} to {hole.last}"
    if hole.kind is Kind.sums and hole.source is not None:
        return (
            f"partition {hole.partition}: {hole.source['table']} of {span} ({hole.count}) {WORDS[hole.kind]}"
        )
    if hole.source is not None:
        words = WORDS.get(hole.kind, "never came: not as a decision, not as an action that decodes")
        return f"{_source(hole.source)}: events {span} ({hole.count}) {words}"
    if hole.destination:
        place = f"{hole.destination}: {hole.topic}/{hole.partition}"
        return f"{place}: records at offset {span} ({hole.count}) {WORDS[hole.kind]}"
    what = "decisions seq" if hole.kind is Kind.lost else "actions at offset"
    return f"partition {hole.partition}: {what} {span} ({hole.count}) {WORDS[hole.kind]}"


def _table(found: Found) -> Table:
    table = Table("partition", box=None)
    names = ("actions", "decisions", "dead letters", "rows: decisions", "dead letters", "epochs")
    for name in (*names, "not yet judged", "not yet archived"):
        table.add_column(name, justify="right")
    for totals in found.totals:
        table.add_row(*(str(count) for count in vars(totals).values()))
    return table


def _destinations(found: Found) -> Table:
    table = Table("destination", box=None)
    names = ("records passed", "delivered", "filtered", "kept aside", "skipped", "waiting", "looked up")
    for name in ("type", *names):
        table.add_column(name, justify="left" if name == "type" else "right")
    for delivered in found.delivered:
        table.add_row(*("-" if value is None else str(value) for value in vars(delivered).values()))
    return table


def _tell_open(console: Console, found: Found) -> None:
    died = [epoch for epoch in found.open if epoch.died]
    if not found.opened:
        return
    console.print(
        Text(f"{found.opened} epochs have no closing count: the producer still runs, or died.", style="bold")
    )
    shown = died[:SHOWN] or found.open[:OPEN_SHOWN]
    for epoch in shown:
        console.print(Text(f"  - {_open(epoch)}"))
    if found.opened > len(shown):
        console.print(f"  ... and {found.opened - len(shown)} more (--json prints them)")


def _open(epoch: OpenEpoch) -> str:
    state = "ended without it, as a later epoch has begun" if epoch.died else "open, or died"
    return f"{_source(epoch.source)}: {state}; the highest event that came is {epoch.highest}"


def _source(source: dict[str, Any]) -> str:
    agent = f"{source['tenant']}/{source['agent_id']}"
    return f"producer {source['producer_id']!r} epoch {source['epoch']}, agent {agent!r}"


def _sum(found: Found) -> str:
    decisions = sum(max(t.decisions, t.decision_rows) for t in found.totals)
    letters = sum(max(t.dead_letters, t.dead_letter_rows) for t in found.totals)
    text = f"{len(found.totals)} partitions, {decisions} decisions, {letters} dead letters"
    behind = {
        "not yet judged": sum(t.not_yet_judged for t in found.totals),
        "not yet archived": sum(t.not_yet_archived for t in found.totals),
    }
    rest = "".join(f"; {count} {name}" for name, count in behind.items() if count)
    if found.ok:
        return f"OK: {text}: no holes{rest}"
    counts = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
    return f"HOLES: {counts}; in {text}{rest}"
