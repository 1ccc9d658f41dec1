"""How a run of records is cut into batches: no broker, no ClickHouse."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given, settings
from hypothesis import strategies as st

import consumers.buffer
from consumers.buffer import Buffer
from consumers.cut import Run, Source, cut, month_of
from runtime.errors import PraetorError
from schemas.catalogue import DECISIONS as DECISIONS_BY_ID
from schemas.catalogue import newest, schema
from schemas.codec import Record, encode_body
from sinks.tables import CHECKPOINTS, DECISIONS
from tests.sinks.helpers import START_MS, decision

SOURCE = Source("agent.decisions", 0, "log", DECISIONS)
DAY_MS = 86_400_000


def framed(record: Record, schema_id: int | None = None) -> bytes:
    """A decision under an id; that of another record is only written before it."""
    of = schema(schema_id) if schema_id in DECISIONS_BY_ID else newest("decision")
    return b"\x00" + (schema_id or of.id).to_bytes(4, "big") + encode_body(of, record)


def body_of(record: Record) -> bytes:
    return encode_body(schema(record["schema"]), record)


def run_of(values: Sequence[bytes], first_offset: int = 100) -> Run:
    return Run(values, range(first_offset, first_offset + len(values)))


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.sampled_from([0, 1, DAY_MS, 20 * DAY_MS, 95 * DAY_MS]), min_size=1, max_size=40),
    data=st.data(),
)
def test_each_batch_is_one_schema_and_one_month(steps: list[int], data: st.DataObject) -> None:
    """Against the plain way: decode all, group by (schema, month)."""
    ids = [data.draw(st.sampled_from([201, 201, 202])) for _ in steps]
    at, records = START_MS, []
    for seq, step in enumerate(steps):
        at += step
        records.append(decision(7 + seq, received_at=at, schema=ids[seq]))
    found = cut(SOURCE, run_of([framed(r, r["schema"]) for r in records]))
    plain: dict[tuple[int, str], list[bytes]] = {}
    for record in records:
        month = datetime.fromtimestamp(record["received_at"] / 1000, UTC).strftime("%Y%m")
        plain.setdefault((record["schema"], month), []).append(body_of(record))
    cuts = {(b.schema.id, b.token.rpartition("/")[2]): list(b.bodies) for b in found.batches}
    assert cuts == plain
    assert (found.first_seq, found.last_seq, found.rows) == (7, 6 + len(steps), len(steps))
    assert (found.first_offset, found.last_offset) == (100, 99 + len(steps))
    for batch in found.batches:
        ours = [r for r in records if body_of(r) in (batch.bodies[0], batch.bodies[-1])]
        assert (batch.first["seq"], batch.last["seq"]) == (ours[0]["seq"], ours[-1]["seq"])


def test_tokens_name_the_place_and_the_range() -> None:
    found = cut(SOURCE, run_of([framed(decision(seq)) for seq in range(3)]))
    assert [b.token for b in found.batches] == ["log/agent.decisions/0/100-102/202/202609"]


@pytest.mark.parametrize(
    ("seqs", "message"),
    [
        ([0, 1, 3], "3 records hold seq 0 to 3, that is 4 numbers: a gap"),
        ([0, 1, 1], "3 records hold seq 0 to 1, that is 2 numbers: a gap or a repetition"),
    ],
)
def test_a_gap_is_an_error(seqs: list[int], message: str) -> None:
    with pytest.raises(PraetorError, match=message):
        cut(SOURCE, run_of([framed(decision(seq)) for seq in seqs]))


def test_rows_without_seq_have_none() -> None:
    of = newest("checkpoint")
    note = {
        "log_id": "log",
        "partition": 0,
        "size": 4,
        "root": bytes(32),
        "received_at": START_MS,
        "note": "",
    }
    source = Source("agent.checkpoints", 0, "log", CHECKPOINTS)
    found = cut(source, run_of([of.prefix + encode_body(of, note)] * 2))
    assert (found.first_seq, found.last_seq, found.rows) == (-1, -1, 2)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            framed(decision(0), 299),
            "has schema id 299, unknown to this version of praetor: upgrade",
        ),
        (framed(decision(0), 501), "is a checkpoint; only decision records belong there"),
        (b"\x01rubbish", "no Confluent wire format"),
        (newest("decision").prefix + b"\xff", "not Avro of decision"),
        (framed(decision(0, "another")), "is of log 'another' partition 0, not of log 'log' partition 0"),
        (framed(decision(0, partition=3)), "is of log 'log' partition 3, not of log 'log' partition 0"),
    ],
)
def test_what_does_not_belong_names_its_offset(value: bytes, message: str) -> None:
    with pytest.raises(PraetorError, match=rf"agent\.decisions/0 offset 100 .*{message}"):
        cut(SOURCE, run_of([value]))


def consumed(offset: int, value: bytes) -> ConsumerRecord:
    return ConsumerRecord("agent.decisions", 0, offset, 0, 0, None, value, None, 0, len(value), ())


def test_a_run_is_never_larger_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers.buffer, "MAX_ROWS", 10)
    monkeypatch.setattr(consumers.buffer, "MAX_BYTES", 100)
    sizes = [1] * 25 + [60, 60, 30, 5, 500, 7]
    buffer = Buffer(SOURCE)
    buffer.add([consumed(offset, bytes(size)) for offset, size in enumerate(sizes)])
    runs = []
    while len(buffer):
        runs.append(buffer.take())
    assert [list(map(len, run.values)) for run in runs] == [
        [1] * 10,
        [1] * 10,
        [1] * 5 + [60],
        [60, 30, 5],
        [500],
        [7],
    ]
    assert [offset for run in runs for offset in run.offsets] == list(range(len(sizes)))
    assert buffer.bytes == 0


@pytest.mark.parametrize(
    ("ms", "month"),
    [
        (0, 197001),
        (-1, 196912),
        (1_790_812_799_999, 202609),
        (1_790_812_800_000, 202610),
        (-(2**63), 190001),
        (2**63 - 1, 229912),
    ],
)
def test_months_are_clickhouses(ms: int, month: int) -> None:
    assert month_of(ms) == month
