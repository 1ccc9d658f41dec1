"""`praetor ledger`: verify the tamper-evident log, show its checkpoints, prove it to others."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli.ledger.keys import keys_app
from cli.ledger.places import Place, TrustedKey, Witness, chosen, log_of, opened, trusted_keys
from cli.ledger.prove import prove
from cli.ledger.report import is_ok, report_json, tell
from cli.ledger.show import show
from cli.ledger.sources import Advance, Log, Source, Wanted
from cli.ledger.verify import Evidence, Result, verify_both, verify_log
from cli.ledger.witness import read_witness
from cli.options import DataDir, JsonOutput, TopicPrefix
from ledger.heads import PlacedNote
from runtime.settings import load_settings

ledger_app = typer.Typer(no_args_is_help=True, help="The tamper-evident log: verify it, show it, prove it.")
ledger_app.command()(show)
ledger_app.command()(prove)
ledger_app.add_typer(keys_app, name="keys")


class Places(StrEnum):
    """Where the ledger is verified."""

    kafka = "kafka"
    clickhouse = "clickhouse"
    both = "both"


@ledger_app.command()
def verify(
    place: Annotated[
        Places,
        typer.Option("--from", help="Kafka, ClickHouse alone, or both and one against the other."),
    ] = Places.kafka,
    witness: Witness = None,
    partition: Annotated[int | None, typer.Option(min=0, help="This partition only.")] = None,
    records: Annotated[
        bool, typer.Option(help="Check every decision's fields and texts too, not the leaves alone.")
    ] = True,
    key: TrustedKey = None,
    as_json: JsonOutput = False,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
) -> None:
    """Verify that no decision was changed, dropped, swapped or added since it was signed.

    It needs a public key alone (--key, else ledger.pub in the folder of keys); keys that it handed over to
    count too. Exit code 0: everything was verified. 1: something is false, or could not be verified (--json
    tells them apart by `status`).

    Example: praetor ledger verify --from both --witness witness.txt
    """
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    held = read_witness(witness) if witness else {}
    evidence = Evidence(trusted_keys(key, settings), held)
    wanted = Wanted(records=records)
    with ExitStack() as stack:
        names = [Place.kafka, Place.clickhouse] if place is Places.both else [Place(place.value)]
        sources = [stack.enter_context(opened(name, settings)) for name in names]
        logs = chosen({log for one in sources for log in one.logs()} | _outside(held), partition)
        results = _verify(sources, logs, evidence, wanted)
    if as_json:
        typer.echo(report_json(results))
    else:
        tell(results)
    if not is_ok(results):
        raise typer.Exit(1)


def _outside(held: Mapping[str, Sequence[PlacedNote]]) -> set[Log]:
    """The logs that a witness knows: one of which nothing is left must be missed."""
    return {log_of(origin) for origin in held}


def _verify(sources: list[Source], logs: list[Log], evidence: Evidence, wanted: Wanted) -> list[Result]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    results: list[Result] = []
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        total = sum(one.work(log) for one in sources for log in logs)
        bar = progress.add_task("verifying", total=total)

        def advance(amount: int) -> None:
            progress.advance(bar, amount)

        for log in logs:
            progress.update(bar, description=f"verifying {log.origin}")
            results += _verify_log(sources, log, evidence, wanted, advance)
    return results


def _verify_log(
    sources: list[Source], log: Log, evidence: Evidence, wanted: Wanted, advance: Advance
) -> list[Result]:
    """In both places where Kafka has it; ClickHouse also keeps the logs from before a migration."""
    if len(sources) == 2 and log in sources[0].logs():
        return verify_both((sources[0], sources[1]), log, evidence, wanted, advance)
    return [verify_log(sources[-1], log, evidence, wanted, advance)]
