"""One partition's memory without a broker: batches of any size, committed, rolled back, read again."""

from collections import Counter
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgement.rules import compile_rules
from ledger.merkle import Frontier, leaf_hash
from runtime.errors import PraetorError
from schemas.codec import decode
from streams.cells import Cells, add_state_record
from streams.partition import Batch, Partition, Place
from streams.progress import Progress, read_progress
from tests.streams.fleet import fleet
from tests.streams.helpers import bundle
from tests.streams.test_exactly_once import Stored, stored

PLACE = Place("log", 0, 2)
RULES = compile_rules(bundle())
SOURCE = stored(list(fleet(3, 1200, 2, agents=20)), 0)
CUTS = st.lists(st.tuples(st.integers(1, 80), st.booleans()), min_size=1, max_size=40)


def fresh(progress: Progress | None = None, agents: dict[bytes, Cells] | None = None) -> Partition:
    partition = Partition(PLACE, progress or Progress("log"), agents if agents is not None else {})
    partition.under(RULES, 1)
    return partition


def written(batches: list[Batch]) -> tuple[list[object], ...]:
    return (
        [d for b in batches for d in b.decisions],
        [d for b in batches for d in b.dead_letters],
        [t for b in batches for t in b.threats],
    )


def judge_all(partition: Partition, size: int = 10_000) -> list[Batch]:
    batches = []
    for start in range(0, len(SOURCE), size):
        batches.append(partition.judge(SOURCE[start : start + size]))
        partition.commit(batches[-1])
    return batches


WHOLE = fresh()
EXPECTED = written(judge_all(WHOLE))


def test_the_source_has_everything_in_it() -> None:
    assert all(EXPECTED), "decisions, dead letters and threats"


@settings(max_examples=60, deadline=None)
@given(CUTS)
def test_batches_and_rollbacks_leave_no_trace(cuts: list[tuple[int, bool]]) -> None:
    partition, batches, at = fresh(), [], 0
    for size, fails in cuts:
        before = deepcopy((partition.agents, partition.progress))
        batch = partition.judge(SOURCE[at : at + size])
        if fails:
            partition.rollback()
            assert (partition.agents, partition.progress) == before
            batch = partition.judge(SOURCE[at : at + size])
        partition.commit(batch)
        batches.append(batch)
        at += size
    batches.append(partition.judge(SOURCE[at:]))
    partition.commit(batches[-1])
    assert written(batches) == EXPECTED
    assert partition.progress == WHOLE.progress
    assert {k: c for k, c in partition.agents.items() if c} == {k: c for k, c in WHOLE.agents.items() if c}


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 400), st.integers(0, 600))
def test_cells_on_the_topic_are_the_memory(size: int, stop: int) -> None:
    partition = fresh()
    state: dict[bytes, Cells] = {}
    for start in range(0, stop, size):
        batch = partition.judge(SOURCE[start : min(start + size, stop)])
        partition.commit(batch)
        for key, value in batch.cells:
            add_state_record(key or b"", value, state)
        assert {k: c for k, c in state.items() if c} == {k: c for k, c in partition.agents.items() if c}
    again = fresh(read_progress(partition.progress.to_bytes(), "here"), state)
    rest = SOURCE[min(stop, len(SOURCE)) :]
    assert again.judge(rest) == partition.judge(rest)


def test_only_changed_cells_are_written() -> None:
    partition = fresh()
    partition.commit(partition.judge(SOURCE[:100]))
    one = next(r for r in SOURCE[100:] if r.key in partition.agents)
    batch = partition.judge([one])
    assert {key.partition(b"\x00")[0] for key, _ in batch.cells if key} <= {one.key}


def test_every_decision_is_counted_by_its_effect() -> None:
    batch = fresh().judge(SOURCE)
    effects = Counter(decode(value, "decision")["effect"] for _, value in batch.decisions)
    assert batch.effects == effects
    assert any(decode(v, "decision")["reasons"][0]["rule"] == "misrouted" for _, v in batch.decisions)


def test_a_batch_must_end_before_the_next() -> None:
    partition = fresh()
    partition.judge(SOURCE[:50])
    with pytest.raises(RuntimeError, match="neither committed nor rolled back"):
        partition.judge(SOURCE[50:])


def test_an_empty_batch_changes_nothing_but_the_control_offset() -> None:
    partition = fresh()
    batch = partition.judge([])
    assert batch == Batch(after=Progress("log", control_offset=1))


def test_dead_letters_move_the_clock_and_the_offset() -> None:
    partition = fresh()
    batch = partition.judge([Stored(5, 2_000, b"k", b"bad"), Stored(6, 1_000, b"k", None)])
    assert (batch.after.next_source_offset, batch.after.received_at, batch.after.next_seq) == (7, 2_000, 0)
    assert [decode(d.value, "dead_letter")["received_at"] for d in batch.dead_letters] == [2_000, 2_000]


PROGRESS = st.builds(
    Progress,
    log_id=st.text(st.characters(exclude_categories=("Cs",))),
    next_source_offset=st.integers(0, 2**63 - 1),
    frontier=st.lists(st.binary(max_size=4)).map(lambda leaves: Frontier().extend([*map(leaf_hash, leaves)])),
    received_at=st.integers(0, 2**63 - 1),
    control_offset=st.integers(-1, 2**63 - 1),
)


@given(PROGRESS)
def test_progress_comes_back_as_it_went(progress: Progress) -> None:
    assert read_progress(progress.to_bytes(), "here") == progress


@given(PROGRESS, st.data())
def test_cut_progress_is_a_clear_error(progress: Progress, data: st.DataObject) -> None:
    value = progress.to_bytes()
    with pytest.raises(PraetorError, match="here is corrupt"):
        read_progress(value[: data.draw(st.integers(0, len(value) - 1))], "here")
