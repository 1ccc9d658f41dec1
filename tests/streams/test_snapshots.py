"""When an agent's cells are kept, and that what is kept is what stood before the action."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.activity import count_action, read_activity
from judgement.engine import ENGINE
from judgement.rules import compile_rules
from schemas.codec import decode
from streams.partition import Partition, Place
from streams.progress import Progress
from streams.snapshots import DAY_MS, EVERY, MAX_BYTES, is_due, snapshot_record
from tests.streams.fleet import fleet
from tests.streams.helpers import bundle
from tests.streams.test_exactly_once import Stored, stored

PLACE = Place("log", 0, 1)
RULES = compile_rules(bundle())


def activity(actions: int, last: int) -> bytes:
    cell = count_action(None, last, False)
    return actions.to_bytes(8, "little") + cell[8:]


@pytest.mark.parametrize(
    ("actions", "last", "received_at", "due"),
    [
        (1, DAY_MS - 1, DAY_MS, True),
        (1, DAY_MS, 2 * DAY_MS - 1, False),
        (EVERY - 1, 5, 6, True),
        (EVERY, 5, 6, False),
        (2 * EVERY - 1, 5, 6, True),
        (EVERY - 2, 5, 6, False),
        (3, 0, 40 * DAY_MS, True),
    ],
)
def test_before_the_first_of_a_day_and_every_thousandth(
    actions: int, last: int, received_at: int, due: bool
) -> None:
    assert is_due({"activity": activity(actions, last)}, received_at) is due


def test_what_cannot_be_counted_or_is_too_large_has_none() -> None:
    assert not is_due({"other": b"x"}, DAY_MS)
    assert not is_due({"activity": b"short"}, DAY_MS)
    assert snapshot_record({}, {"activity": bytes(32), "other": bytes(MAX_BYTES)}) is None


def days(count: int, step_ms: int) -> Iterator[Stored]:
    """A fleet's actions, each so much later than the one before: over several days."""
    for number, record in enumerate(stored(list(fleet(5, count, 1, agents=7)), 0)):
        yield replace(record, timestamp=1_790_000_000_000 + number * step_ms)


SOURCE = list(days(1500, DAY_MS // 400))


def judged(sizes: list[int]) -> tuple[list[Any], dict[int, dict[str, bytes]]]:
    """Snapshots written, and of every decision the cells that its agent had before."""
    partition = Partition(PLACE, Progress("log"), {})
    partition.under(RULES, 3)
    written: list[Any] = []
    at, before = 0, {}
    for size in [*sizes, len(SOURCE)]:
        records = SOURCE[at : at + size]
        if size == 1 and records:
            before[partition.progress.next_seq] = dict(partition.agents.get(records[0].key or b"", {}))
        batch = partition.judge(records)
        partition.commit(batch)
        written += batch.snapshots
        at += size
    return written, before


def test_a_snapshot_is_the_cells_before_its_action() -> None:
    written, before = judged([1] * len(SOURCE))
    found = [decode(value, "snapshot") for _, value in written]
    assert len({r["received_at"] // DAY_MS for r in found}) >= 3 and len(found) >= 20
    for (key, _), record in zip(written, found, strict=True):
        assert record["cells"] == before[record["seq"]] != {}
        assert key == f"{record['tenant']}/{record['agent_id']}".encode()
        assert (record["log_id"], record["partition"], record["engine"]) == ("log", 0, ENGINE)
        assert SOURCE[record["source_offset"]].timestamp == record["received_at"]
        assert record["control_offset"] == 3
        assert read_activity(record["cells"]["activity"]).last_received_at < record["received_at"]
    # nobody new has one, and everybody else has one a day
    assert len({(r["agent_id"], r["received_at"] // DAY_MS) for r in found}) == len(found)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(2, 200), max_size=12))
def test_batches_make_no_difference_to_snapshots(sizes: list[int]) -> None:
    assert judged(sizes)[0] == judged([])[0] != []
