"""How the verifier's results are told: to people, and as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.ledger.sources import Log
from cli.ledger.verify import Result

SHOWN = 20


def report_json(results: Sequence[Result]) -> str:
    """One object: `ok`, and for each partition and place what was verified and found."""
    return json.dumps(
        {"ok": is_ok(results), "partitions": [_row(one) for one in results]}, ensure_ascii=False
    )


def is_ok(results: Sequence[Result]) -> bool:
    """Whether everything was verified and nothing is wrong."""
    return all(one.status == "ok" for one in results)


def _row(result: Result) -> dict[str, Any]:
    stored, report, records = result.stored, result.report, result.stored.records
    return {
        "source": result.source,
        "log_id": result.log.log_id,
        "partition": result.log.partition,
        "status": result.status,
        "decisions": report.leaves,
        "tree_size": max(report.verified, default=0),
        "checkpoints": len(stored.notes),
        "sizes_verified": len(report.verified),
        "sizes_unverified": len(report.unverified),
        "signed_by": [{"keys": list(s.keys), "first": s.first, "last": s.last} for s in report.spans],
        "records_checked": records.records if records else None,
        "texts_verified": records.texts_verified if records else None,
        "texts_erased": records.texts_erased if records else None,
        "gone": stored.gone,
        "remarks": stored.remarks,
        "findings": [
            {"kind": one.kind.value, "place": one.place, "message": one.message, "harmless": one.harmless}
            for one in result.findings
        ],
        "not_excluded": list(result.not_excluded),
    }


def tell(results: Sequence[Result]) -> None:
    """Print the table, what was found, what is not excluded, and the sum."""
    console = Console(width=None if Console().is_terminal else 140, highlight=False, soft_wrap=True)
    console.print(_table(results))
    for result in results:
        _tell_findings(console, result)
    _tell_sentences(console, "Signed by several keys:", [(one, s) for one in results for s in _handed(one)])
    _tell_sentences(console, "Not excluded:", [(one, s) for one in results for s in one.not_excluded])
    console.print(Text(_sum(results), style="bold green" if is_ok(results) else "bold red"))


def _table(results: Sequence[Result]) -> Table:
    table = Table("log", "from", "status", box=None)
    for name in ("decisions", "signed up to", "checkpoints", "texts verified", "texts erased"):
        table.add_column(name, justify="right")
    styles = {"ok": "green", "false": "red", "incomplete": "yellow"}
    for one in results:
        row = _row(one)
        verified = (row["texts_verified"], row["texts_erased"])
        table.add_row(
            Text(one.log.origin),
            one.source,
            Text(one.status, style=styles[one.status]),
            str(row["decisions"]),
            str(row["tree_size"]),
            str(row["checkpoints"]),
            *("-" if count is None else str(count) for count in verified),
        )
    return table


def _tell_findings(console: Console, result: Result) -> None:
    where = f"{result.source}, {result.log.origin}"
    if result.stored.gone:
        console.print(Text(f"{where}: NOT VERIFIED: {result.stored.gone}", style="yellow"))
    for remark in result.stored.remarks:
        console.print(Text(f"{where}: {remark}"))
    wrong = [one for one in result.findings if not one.harmless]
    for one in wrong[:SHOWN]:
        console.print(
            Text(f"FALSE {one.kind.value}: {one.place} ({result.source}): {one.message}", style="red")
        )
    if len(wrong) > SHOWN:
        console.print(f"... and {len(wrong) - SHOWN} more in {where} (--json prints all)", style="red")


def _handed(result: Result) -> list[str]:
    """Which key signed from where on, where it was not one key all along."""
    spans = result.report.spans if len(result.report.spans) > 1 else ()
    log = result.log.origin
    return [f"{log}: sizes {one.first} to {one.last} by {' and '.join(one.keys)}" for one in spans]


def _tell_sentences(console: Console, title: str, told: Sequence[tuple[Result, str]]) -> None:
    """Each sentence once, with the partitions that it is about."""
    about: dict[str, list[str]] = {}
    for result, sentence in told:
        about.setdefault(sentence, []).append(str(result.log.partition))
    if about:
        console.print(Text(title, style="bold"))
    for sentence, partitions in about.items():
        names = list(dict.fromkeys(partitions))
        console.print(Text(f"  - {sentence} [partition{'s' * (len(names) > 1)} {', '.join(names)}]"))


def _sum(results: Sequence[Result]) -> str:
    decisions: dict[Log, int] = {}
    for one in results:
        decisions[one.log] = max(decisions.get(one.log, 0), one.report.leaves)
    where = " and ".join(dict.fromkeys(one.source for one in results))
    text = f"{len(decisions)} partitions, {sum(decisions.values())} decisions, from {where}"
    false = sum(1 for one in results for f in one.findings if not f.harmless)
    if false:
        return f"FALSE: {false} findings in {text}"
    gone = sum(one.status == "incomplete" for one in results)
    if gone:
        return f"NOT VERIFIED: {gone} of {text} could not be verified; nothing false was found"
    tails = {one.log: one.report.leaves - max(one.report.verified, default=0) for one in results[::-1]}
    unsigned = sum(tails.values())
    return f"OK: {text}: all as signed" + (f", but for {unsigned} not signed yet" if unsigned else "")
