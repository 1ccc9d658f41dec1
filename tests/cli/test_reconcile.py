"""`praetor reconcile`: holes made on purpose are named, each once, and nothing else is."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import app
from cli.reconcile.holes import Found, Kind, Totals
from cli.reconcile.numbers import Epoch, Numbers, Producers
from cli.reconcile.offsets import ACTION, DECISION, DECISION_ROW, LETTER, LETTER_ROW, Bounds, Comparison
from consumers.archive import Archive, Job
from consumers.delivery.feed import group_of
from consumers.delivery.trial import trial_event
from consumers.forward import Forward, Target
from consumers.intents import Intent
from consumers.place import Pace
from detections.source import CLOSING
from runtime.embedded.services import Broker
from runtime.settings import Settings
from schemas.codec import encode
from schemas.topics import (
    ACTIONS,
    ARCHIVE,
    CHECKPOINTS,
    DEAD_LETTERS,
    DECISIONS,
    DELIVERIES,
    INCIDENTS,
    STATE,
    THREATS,
    UNDELIVERED,
)
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.destination import Destination
from sinks.http import Outbound
from sinks.migrate import migrate
from sinks.outbound import Allowed
from sinks.registry import make_sink
from tests.delivery.stage import destination
from tests.streams.fleet import Sent, action, routed
from tests.streams.helpers import NUMBERS, Log

PARTITIONS = 2
AGENTS = 6
EVENTS = 30


def sent() -> Iterator[Sent]:
    """Numbered events of two tenants, each agent with a closed and an open epoch; `lossy` loses some."""
    rng = Random(5)
    for number in range(AGENTS):
        tenant = ("whole", "lossy")[number % 2]
        for epoch in (1, 2):
            for seq in range(EVENTS):
                closes = epoch == 1 and seq == EVENTS - 1
                fields = action(rng, f"agent-{number}", tenant=tenant, action=CLOSING if closes else "read:x")
                fields |= {"producer_id": "p", "producer_epoch": epoch, "producer_seq": seq}
                event = routed(fields, PARTITIONS)
                if (number, epoch, seq) in LOST:
                    continue
                yield event
                if seq == 7:
                    yield event  # sent twice: a duplicate is no hole
        yield Sent(number % PARTITIONS, b"whole/x", b"no action at all")
        wrong = {"producer_id": "p", "producer_epoch": 9, "producer_seq": 50}
        misrouted = routed(action(rng, f"agent-{number}", tenant=tenant, **wrong), PARTITIONS)
        yield misrouted._replace(key=b"somebody/else")


LOST = {(1, 1, 0), (1, 1, 1), (3, 2, 10), (3, 2, 12), (5, 1, 28)}
MISSING = {("agent-1", 1, 0, 1), ("agent-3", 2, 10, 10), ("agent-3", 2, 12, 12), ("agent-5", 1, 28, 28)}


@dataclass
class Stack:
    """A log that was judged and archived, and copies of it in which something is missing."""

    log: Log
    prefix: str
    settings: Settings

    def run(
        self,
        *options: str,
        prefix: str | None = None,
        database: str | None = None,
        destinations: Path | None = None,
    ) -> tuple[int, Any]:
        """Exit code and JSON of `praetor reconcile`."""
        env = {"PRAETOR_DESTINATIONS": str(destinations)} if destinations else {}
        env |= {
            "PRAETOR_BOOTSTRAP": self.log.bootstrap,
            "PRAETOR_CLICKHOUSE_URL": self.settings.clickhouse_url,
            "PRAETOR_CLICKHOUSE_DATABASE": database or self.settings.clickhouse_database,
            "PRAETOR_TOPIC_PREFIX": prefix or self.prefix,
        }
        result = CliRunner().invoke(app, ["reconcile", *options], env={"COLUMNS": "200", **env})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, json.loads(result.stdout) if "--json" in options else result.stdout

    def holes(self, **where: str) -> list[tuple[Any, ...]]:
        """Kind, partition, first and last of every hole of the tenant that sent everything."""
        code, told = self.run("--json", "--tenant", "whole", **where)
        assert code == (1 if told["holes"] else 0)
        assert told["ok"] == (code == 0)
        return [(h["kind"], h["partition"], h["first"], h["last"]) for h in told["holes"]]

    def sql(self, database: str, *statements: str) -> None:
        client = connect(self.settings, database)
        for statement in statements:
            client.command(statement, settings={"mutations_sync": 1})
        client.close()

    def rows(self, sql: str) -> list[Any]:
        client = connect(self.settings)
        found = list(client.query(sql).result_rows)
        client.close()
        return found

    def database(self, *changes: str) -> str:
        """A changed copy of the database."""
        name = f"{self.settings.clickhouse_database}_{next(NUMBERS)}"
        migrate(self.settings.model_copy(update={"clickhouse_database": name}))
        for table in ("decisions", "dead_letters", "checkpoints"):
            columns = "* EXCEPT archived_by" if table != "decisions" else "*"
            names = "(* EXCEPT(archived_by))" if table != "decisions" else ""
            source = f"{self.settings.clickhouse_database}.{table}"
            self.sql(name, f"INSERT INTO {table} {names} SELECT {columns} FROM {source}")
        self.sql(name, *changes)
        return name

    def topics(self, drop: dict[tuple[str, int], int]) -> str:
        """Copies of the topics without one record of some partitions; returns their prefix."""
        return asyncio.run(self._copy(drop))

    async def _copy(self, drop: dict[tuple[str, int], int]) -> str:
        prefix = f"holes{next(NUMBERS)}."
        names = [t.name for t in (DECISIONS, DEAD_LETTERS, CHECKPOINTS, THREATS, STATE, ARCHIVE)]
        admin = AIOKafkaAdminClient(**self.log.options)
        await admin.start()
        await admin.create_topics([NewTopic(prefix + name, PARTITIONS, 1) for name in names])
        await admin.close()
        producer = AIOKafkaProducer(**self.log.options)
        await producer.start()
        for name in (DECISIONS.name, DEAD_LETTERS.name, STATE.name):
            for p, records in (await self.log.records(self.prefix + name)).items():
                kept = [r for i, r in enumerate(records) if i != drop.get((name, p))]
                for record in kept:
                    await producer.send(prefix + name, record.value, record.key, partition=p)
                rows, seq = len(kept), len(records) - 1 if name == DECISIONS.name else -1
                intent = Intent(self.log.view.log_id, prefix + name, p, True, 0, rows - 1, 0, seq, rows)
                await producer.send(prefix + ARCHIVE.name, intent.to_bytes(), intent.key, partition=p)
        await producer.stop()
        return prefix


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, clickhouse: str) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("reconcile")
    given = Settings(clickhouse_url=clickhouse, clickhouse_database=f"reconcile_{uuid4().hex[:8]}")
    with Broker(folder / "kafka") as running:
        yield asyncio.run(prepare(Log(running.bootstrap, folder / "keys", PARTITIONS), given))


async def prepare(log: Log, given: Settings) -> Stack:
    await log.mint()
    stack = Stack(log, await log.outputs(), given)
    migrate(given)
    await judge_more(stack, list(sent()))
    await archive_all(stack)
    return stack


async def judge_more(stack: Stack, events: list[Sent]) -> None:
    await stack.log.judge(stack.prefix, await stack.log.send(events))


async def archive_all(stack: Stack) -> None:
    outputs = await stack.log.read(stack.prefix)
    wanted = (sum(map(len, outputs.decisions.values())), sum(map(len, outputs.dead_letters.values())))
    sink = ClickHouseSink(stack.settings)
    archive = Archive(stack.log.options, sink, Job(stack.prefix, pace=Pace(dry=0.05, linger=0.2)))
    task = asyncio.create_task(archive.run())
    sql = "SELECT (SELECT count() FROM decisions), (SELECT count() FROM dead_letters)"
    while await asyncio.to_thread(stack.rows, sql) != [wanted]:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.1)
    archive.stop.set()
    await task


def decision_of(stack: Stack, agent: str, epoch: int, seq: int) -> tuple[int, int, int]:
    """Partition, seq and offset of a decision."""
    where = f"agent_id = '{agent}' AND producer_epoch = {epoch} AND producer_seq = {seq}"
    found = stack.rows(f"SELECT partition, seq, source_offset FROM decisions WHERE {where} ORDER BY seq")
    return tuple(found[0])


def test_what_was_never_sent_is_named_with_its_producer(stack: Stack) -> None:
    code, told = stack.run("--json")
    assert code == 1
    assert {h["kind"] for h in told["holes"]} == {"source"}
    named = {(h["source"]["agent_id"], h["source"]["epoch"], h["first"], h["last"]) for h in told["holes"]}
    assert named == MISSING
    assert told["counts"] == {"source": 5}
    assert {h["source"]["tenant"] for h in told["holes"]} == {"lossy"}
    assert {(e["source"]["epoch"], e["died"]) for e in told["open"]} == {(2, False)}
    assert len(told["open"]) == told["open_epochs"] == AGENTS
    code, text = stack.run("--producer", "p", "--agent", "agent-3")
    assert code == 1
    assert "producer 'p' epoch 2, agent 'lossy/agent-3': events 10 (1) never came" in text
    assert text.splitlines()[-1].startswith("HOLES: 2 missing at the source; in 2 partitions, ")


def test_what_is_whole_is_clean(stack: Stack) -> None:
    code, text = stack.run("--tenant", "whole")
    assert code == 0
    assert "OK: 2 partitions, " in text
    assert "3 epochs have no closing count" in text
    assert stack.run("--producer", "nobody")[0] == 0
    assert stack.run("--tenant", "whole", "--since", "1h")[0] == 0
    code, told = stack.run("--json", "--since", "2h", "--partition", "1")
    assert [t["partition"] for t in told["partitions"]] == [1]


def test_holes_in_clickhouse_are_named(stack: Stack) -> None:
    p, seq, offset = decision_of(stack, "agent-2", 2, 5)
    here = f"partition = {p} AND seq = {seq}"
    assert stack.holes(database=stack.database(f"DELETE FROM decisions WHERE {here}")) == [
        ("clickhouse", p, offset, offset)
    ]
    again = f"INSERT INTO decisions SELECT * FROM decisions WHERE {here}"
    assert stack.holes(database=stack.database(again)) == [("doubled_clickhouse", p, offset, offset)]
    ((letter,),) = stack.rows("SELECT min(source_offset) FROM dead_letters WHERE partition = 1")
    gone = f"DELETE FROM dead_letters WHERE partition = 1 AND source_offset = {letter}"
    assert stack.holes(database=stack.database(gone)) == [("clickhouse", 1, letter, letter)]


def test_sums_that_are_not_what_decisions_say_are_named(stack: Stack) -> None:
    database = stack.database("ALTER TABLE actions_by_day DELETE WHERE partition = 1")
    named = {(kind, partition) for kind, partition, _, _ in stack.holes(database=database)}
    assert named == {("sums", 1)}
    _, text = stack.run("--tenant", "whole", database=database)
    assert "HOLE sums differ: partition 1: actions_by_day of 20" in text
    assert "`praetor db sums --remake` makes it anew" in text


def test_decisions_missing_in_kafka_are_named(stack: Stack) -> None:
    p, seq, offset = decision_of(stack, "agent-0", 1, 9)
    prefix = stack.topics({(DECISIONS.name, p): seq})
    assert stack.holes(prefix=prefix) == [("kafka", p, offset, offset)]
    without = stack.database(f"DELETE FROM decisions WHERE partition = {p} AND seq = {seq}")
    # its event is in agent.actions yet, so the producer did send it
    assert stack.holes(prefix=prefix, database=without) == [("unjudged", p, offset, offset)]
    assert stack.holes(prefix=stack.topics({})) == []


def test_destinations_are_held_against_receipts_and_files(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "siem.jsonl"
    siem = destination("siem", {"type": "file", "path": str(file)}, feed={"kinds": ["decision", "threat"]})
    path = tmp_path / "destinations.yaml"
    path.write_text(json.dumps(siem.document.model_dump(exclude_none=True)))
    threats = asyncio.run(deliver(stack, siem, file))

    code, told = stack.run("--json", "--tenant", "whole", destinations=path)
    (had,) = told["destinations"]
    decisions = sum(t["decisions"] for t in told["partitions"])
    assert code == 0
    assert had["events"] == had["records"] == had["looked_up"] == decisions + threats
    assert decisions == sum(t["decision_rows"] for t in told["partitions"])
    assert had["waiting"] == 0

    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    gone = json.loads(lines.pop(7))["kafka"]
    file.write_bytes(b"".join(lines))
    code, told = stack.run("--json", "--tenant", "whole", destinations=path)
    found = [(h["kind"], h["partition"], h["first"], h["last"]) for h in told["holes"]]
    assert found == [("destination", gone["partition"], gone["offset"], gone["offset"])]
    assert code == 1
    file.write_bytes(whole)

    offset = asyncio.run(moved_on(stack))
    code, text = stack.run("--tenant", "whole", destinations=path)
    assert code == 1
    assert f"HOLE not delivered: siem: {stack.prefix}{THREATS.name}/0: records at offset {offset} (1)" in text


async def deliver(stack: Stack, to: Destination, file: Path) -> int:
    """Deliver everything; how many threats that are."""
    admin = AIOKafkaAdminClient(**stack.log.options)
    await admin.start()
    topics = [NewTopic(stack.prefix + t.name, PARTITIONS, 1) for t in (INCIDENTS, DELIVERIES, UNDELIVERED)]
    await admin.create_topics(topics)
    await admin.close()
    outputs = [await stack.log.records(stack.prefix + t.name) for t in (DECISIONS, THREATS)]
    decisions, threats = (sum(map(len, records.values())) for records in outputs)
    target = Target(to, make_sink(to, Outbound(Allowed(), ssl.create_default_context())))
    forward = Forward(stack.log.options, [target], prefix=stack.prefix, log_id=stack.log.view.log_id)
    task = asyncio.create_task(forward.run())
    while not file.exists() or file.read_bytes().count(b"\n") < decisions + threats:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.1)
    forward.stop.set()
    await task
    return threats


async def moved_on(stack: Stack) -> int:
    """One more threat, and a destination's group moved on behind it: its offset."""
    topic, log_id = stack.prefix + THREATS.name, stack.log.view.log_id
    threat = trial_event().record | {"log_id": log_id}
    producer = AIOKafkaProducer(**stack.log.options)
    await producer.start()
    sent = await producer.send_and_wait(topic, encode("threat", threat), partition=0)
    await producer.stop()
    group = group_of("siem", log_id, stack.prefix)
    consumer = AIOKafkaConsumer(**stack.log.options, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.commit({TopicPartition(topic, 0): sent.offset + 1})
    await consumer.stop()
    return int(sent.offset)


def test_what_is_behind_is_no_hole_and_retention_is_said(stack: Stack) -> None:
    rng = Random(9)
    fields = [action(rng, "late", tenant="whole", action="read:x") for _ in range(20)]
    events = [routed(f, PARTITIONS) for f in fields]
    p = events[0].partition
    asyncio.run(stack.log.send(events))
    totals = {t["partition"]: t for t in stack.run("--json", "--tenant", "whole")[1]["partitions"]}
    assert totals[p]["not_yet_judged"] == 20
    asyncio.run(judge_more(stack, []))
    code, told = stack.run("--json", "--tenant", "whole")
    assert (code, sum(t["not_yet_archived"] for t in told["partitions"])) == (0, 20)
    asyncio.run(archive_all(stack))
    _, seq, _ = decision_of(stack, "late", 0, 0)
    drop = f"DELETE FROM decisions WHERE partition = {p} AND seq = {seq}"
    prefix, database = stack.topics({(DECISIONS.name, p): seq}), stack.database(drop)
    asyncio.run(stack.log.delete(ACTIONS.name, {p: -1 for p in range(PARTITIONS)}))
    assert stack.holes() == []
    assert stack.holes(prefix=prefix, database=database) == [("lost", p, seq, seq)]
    code, told = stack.run("--json")
    # of the lost events decisions tell the same as their actions did
    assert {
        (h["source"]["agent_id"], h["source"]["epoch"], h["first"], h["last"]) for h in told["holes"]
    } == MISSING
    assert [r.startswith(f"partition {n}: actions before offset") for n, r in enumerate(told["remarks"])] == [
        True
    ] * 2


WHERES = (ACTION, DECISION, LETTER, DECISION_ROW, LETTER_ROW)


@settings(max_examples=300)
@given(st.integers(0, 2**64 - 1))
def test_the_comparison_is_what_sets_say(seed: int) -> None:
    rng = Random(seed)
    size, judged = rng.randrange(1, 30), rng.randrange(0, 31)
    begins = [rng.choice((0, 0, rng.randrange(size))) for _ in range(3)]
    bounds = Bounds(0, judged, 0, begins[0], begins[1], begins[2], None)
    held: dict[int, list[int]] = {where: [] for where in WHERES}
    archived = rng.randrange(-1, 31)
    for offset in range(size):
        ends = (DECISION, DECISION_ROW) if rng.random() < 0.8 else (LETTER, LETTER_ROW)
        for where in (ACTION, *ends):
            held[where] += [offset] * rng.choice((1, 1, 1, 1, 1, 0, 2 if where != ACTION else 1))
    found = Found()
    streams = [[(o, w, -1, o <= archived) for o in offsets] for w, offsets in held.items()]
    comparison = Comparison(bounds, found, Totals(0))
    comparison.compare(streams)
    expected: dict[Kind, set[int]] = {}
    late = 0
    for o in range(min(size, judged)):
        act, dec, let, row, letter_row = (held[w].count(o) for w in WHERES)
        told = {
            Kind.doubled_kafka: dec + let > 1,
            Kind.doubled_clickhouse: row + letter_row > 1,
            Kind.unjudged: act and not (dec or let or row or letter_row),
            Kind.unknown: not act and (dec or let or row or letter_row) and o >= bounds.actions,
            Kind.clickhouse: (dec or let) and not (row or letter_row) and o <= archived,
            Kind.kafka: (row and not (dec or let) and o >= bounds.decisions)
            or (letter_row and not (dec or let) and o >= bounds.letters),
        }
        late += bool((dec or let) and not (row or letter_row) and o > archived)
        for kind in (k for k, is_told in told.items() if is_told):
            expected.setdefault(kind, set()).add(o)
    named: dict[Kind, set[int]] = {}
    for hole in found.holes:
        named.setdefault(hole.kind, set()).update(range(hole.first, hole.last + 1))
    assert {k: len(v) for k, v in expected.items()} == dict(found.counts)
    assert all(expected[kind] <= offsets for kind, offsets in named.items())
    assert set(named) == set(expected)
    assert comparison.totals.not_yet_archived == late
    assert comparison.totals.not_yet_judged == sum(o >= judged for o in held[ACTION])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), min_size=1), st.booleans())
def test_numbers_are_what_a_set_says(runs: list[tuple[int, int]], from_zero: bool) -> None:
    numbers, came = Numbers(), set[int]()
    for first, length in runs:
        numbers.add(first, first + length)
        came |= set(range(first, first + length + 1))
        assert [n for a, b in numbers.runs for n in range(a, b + 1)] == sorted(came)
        assert all(a[1] + 1 < b[0] for a, b in zip(numbers.runs, numbers.runs[1:], strict=False))
    wanted = set(range(0 if from_zero else min(came), max(came))) - came
    assert {n for first, last in numbers.holes(from_zero) for n in range(first, last + 1)} == wanted


def test_a_closing_count_is_held_against_what_came() -> None:
    producers, found = Producers(), Found()
    one, two = Epoch("t", "a", "p", 1), Epoch("t", "a", "p", 2)
    producers.add(one, 0, 4)
    producers.close(one, 3)
    producers.add(two, 0, 0)
    producers.add(Epoch("t", "a", "p", 3), 0, 0)
    producers.conclude(0, True, found)
    assert [(h.kind, h.first, h.last) for h in found.holes] == [(Kind.miscounted, 4, 4)]
    assert [(e.source["epoch"], e.died) for e in found.open] == [(2, True), (3, False)]
