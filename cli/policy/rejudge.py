"""`praetor policy rejudge`: derive recorded decisions again, and compare."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Annotated

import typer
from aiokafka import TopicPartition
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.ledger.places import Place
from cli.ledger.sources import Log
from cli.options import DataDir, JsonOutput, TopicPrefix
from cli.rejudging.clickhouse import ClickHouseStore
from cli.rejudging.derive import Deriver, Missing
from cli.rejudging.kafka import KafkaStore
from cli.rejudging.past import Past
from cli.rejudging.report import Sample, decision_json, tell_decision
from cli.rejudging.store import Store
from cli.rejudging.stored import Stored
from cli.telling import print_json
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, common_options, read_partition
from runtime.settings import Settings, load_settings
from schemas.topics import CONTROL
from streams.keyring import CONTROL as CONTROL_ROLE
from streams.keyring import read_policy_keys, read_verify_keys

CONTROL_PARTITION = TopicPartition(CONTROL.name, 0)


def rejudge(
    partition: Annotated[int, typer.Option(min=0, help="Partition of the decision.")],
    seq: Annotated[int | None, typer.Option(min=0, help="The decision's number.")] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Derive so many random decisions of the partition instead.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random choice.")] = 1,
    place: Annotated[
        Place, typer.Option("--from", help="Where decisions and snapshots are read.")
    ] = Place.clickhouse,
    log_id: Annotated[str | None, typer.Option(help="Refuse if agent.control is of another log.")] = None,
    as_json: JsonOutput = False,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
) -> None:
    """Derive a decision again, from its action, the agent's state and the rules of that moment; compare.

    It prints the verdict's bytes. What is missing for it is named. Exit code 0: equal to what was recorded.

    Example: praetor policy rejudge --partition 3 --seq 1729
    """
    if (seq is None) == (sample is None):
        raise typer.BadParameter("either --seq N, or --sample K")
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    past = read_past(settings)
    if log_id not in (None, past.log_id):
        raise PraetorError(
            f"{CONTROL.name} is of log {past.log_id}: the orders of log {log_id} are not there, so what ruled"
            " in it is not known"
        )
    if partition >= past.partitions:
        raise PraetorError(f"log {past.log_id} has partitions 0 to {past.partitions - 1}, not {partition}")
    with closing(_opened(place, settings, Log(past.log_id, partition))) as store:
        deriver = Deriver(store, past, partition)
        if seq is not None:
            ok = _one(store, deriver, Log(past.log_id, partition), seq, as_json)
        else:
            ok = _some(store, deriver, random.Random(seed), sample or 0, as_json)  # noqa: S311
    if not ok:
        raise typer.Exit(1)


def read_past(settings: Settings) -> Past:
    """All of agent.control, to be folded to any offset of it.

    Raises:
        PraetorError: it names no log that the keys believe.
    """
    records = asyncio.run(_control(common_options(settings)))
    keys = read_verify_keys(settings.keys, CONTROL_ROLE)
    return Past(records, keys, read_policy_keys(settings.keys))


async def _control(options: Options) -> list[tuple[int, bytes | None]]:
    ends = Ends(options)
    await ends.start()
    try:
        start = await ends.beginning(CONTROL_PARTITION)
        end = await ends.high_watermark(CONTROL_PARTITION)
    finally:
        await ends.stop()
    # as appended, like govern (docs/adr/0004)
    batches = read_partition(options, CONTROL_PARTITION, start, end, "read_uncommitted")
    return [(record.offset, record.value) async for records in batches for record in records]


def _opened(place: Place, settings: Settings, log: Log) -> Store:
    return KafkaStore(settings, log) if place is Place.kafka else ClickHouseStore(settings, log)


def _one(store: Store, deriver: Deriver, log: Log, seq: int, as_json: bool) -> bool:
    found = store.decisions([seq])
    if not found:
        first, end = store.extent()
        kept = f"it keeps seq {first} to {end - 1}" if end > first else "it keeps none of this partition"
        raise Missing(f"decision {log.origin} seq {seq} is not in {store.place}: {kept}")
    store.prepare(found)
    derived = deriver.derive(found[0])
    if as_json:
        print_json(decision_json(derived))
    else:
        typer.echo(tell_decision(derived))
    return derived.equal


def _some(store: Store, deriver: Deriver, chance: random.Random, count: int, as_json: bool) -> bool:
    first, end = store.extent()
    chosen = chance.sample(range(first, end), min(count, end - first))
    found = store.decisions(chosen)
    store.prepare(found)
    result = Sample()
    for seq in sorted(set(chosen) - {one.seq for one in found}):
        result.missing[f"decision seq {seq} is not in {store.place}"] += 1
    for stored in _watched(sorted(found, key=lambda one: (one.agent, one.seq))):
        try:
            result.add(deriver.derive(stored))
        except Missing as error:
            result.missing[str(error)] += 1
    if as_json:
        print_json(result.json())
    else:
        typer.echo(result.tell())
    return result.ok


def _watched(found: Sequence[Stored]) -> Iterator[Stored]:
    """Each, with a progress bar where a person looks on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(found, description="deriving again")
