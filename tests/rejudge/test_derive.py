"""Deriving decisions again, over days and bundles: equal, or what is missing is named."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from cli.rejudging.derive import Deriver, Missing
from cli.rejudging.past import Past
from cli.rejudging.stored import Stored
from schemas.verdict import Effect
from streams.snapshots import DAY_MS
from tests.rejudge.memory import BUNDLES, MemoryStore, control_records, judge, keys, over_days


@dataclass
class Judged:
    records: list[tuple[int, bytes | None]]
    past: Past
    store: MemoryStore

    def deriver(self, store: MemoryStore | None = None, past: Past | None = None) -> Deriver:
        return Deriver(store or self.store, past or self.past, 0)

    def without(self, gone: Callable[[Stored], bool]) -> MemoryStore:
        kept = {seq: one for seq, one in self.store.kept.items() if not gone(one)}
        return replace(self.store, kept=kept)

    def changed(self, seq: int, **fields: object) -> MemoryStore:
        one = Stored({**self.store.kept[seq].record, **fields})
        return replace(self.store, kept={**self.store.kept, seq: one})


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    key, trusted = keys(tmp_path_factory.mktemp("keys"))
    records = control_records(key)
    past = Past(records, trusted)
    return Judged(records, past, judge(over_days(9_000, 4, DAY_MS // 2_600, 11), past, 5))


def test_every_kind_of_decision_over_days_and_bundles_is_derived_equal(judged: Judged) -> None:
    store = judged.store
    rng = Random(3)
    chosen = [store.kept[seq] for seq in rng.sample(range(store.end), 1_500)]
    deriver = judged.deriver()
    derived = [deriver.derive(one) for one in sorted(chosen, key=lambda one: (one.agent, one.seq))]
    assert [d.stored.seq for d in derived if not d.equal] == []
    records = [one.record for one in chosen]
    assert len({r["received_at"] // DAY_MS for r in records}) >= 4
    assert len({r["bundle"] for r in records}) == BUNDLES
    assert {Effect[r["effect"]].name for r in records} == {
        "allow",
        "deny",
        "modify",
        "require_approval",
        "defer",
    }
    assert {r["reasons"][0]["policy"] for r in records if r["reasons"]} >= {"praetor", "control"}
    assert any(one.misrouted for one in chosen) and any(r["duplicate_of"] for r in records)
    assert {d.snapshot is None for d in derived} == {True, False}
    rules = {reason["rule"] for one in judged.store.kept.values() for reason in one.record["reasons"]}
    assert {"found", "held", "burst"} <= rules
    assert any(name.startswith("correlation:") for _, s in store.taken for name in s.cells)
    thousandth = {s.seq for _, s in store.taken} & {d.snapshot for d in derived}
    assert thousandth and max(d.folded for d in derived) > 200


def test_whatever_the_order_and_wherever_it_begins_a_derivation_is_the_same(judged: Judged) -> None:
    rng = Random(4)
    store = judged.store
    for seq in rng.sample(range(store.end), 40):
        # a snapshot less: it begins at the one before
        agent = store.kept[seq].agent
        mine = [s for a, s in store.taken if a == agent and s.seq <= seq]
        fewer = replace(store, taken=[(a, s) for a, s in store.taken if not mine or s is not mine[-1]])
        derived = judged.deriver(fewer if len(mine) > 1 else store).derive(store.kept[seq])
        assert derived.equal and derived.strayed is None


def test_what_was_recorded_otherwise_is_seen(judged: Judged) -> None:
    seq = next(s for s, one in judged.store.kept.items() if one.record["effect"] == "deny" and s > 2_000)
    store = judged.changed(seq, effect="allow")
    derived = judged.deriver(store).derive(store.kept[seq])
    assert not derived.equal and derived.value == judged.store.kept[seq].value


def test_what_is_remembered_matters_and_a_wrong_snapshot_is_seen(judged: Judged) -> None:
    empty = [(agent, s._replace(cells={"activity": s.cells["activity"]})) for agent, s in judged.store.taken]
    store = replace(judged.store, taken=empty)
    chosen = [one for seq, one in store.kept.items() if seq > store.end - 900 and not one.misrouted]
    derived = [judged.deriver(store).derive(one) for one in chosen[::15]]
    unequal = [d for d in derived if not d.equal]
    assert unequal and any(d.strayed is not None for d in unequal)


def late(judged: Judged) -> Stored:
    """A decision some way behind its agent's snapshot, on a later day."""
    deriver = judged.deriver()
    for seq in range(judged.store.end - 1, 0, -1):
        one = judged.store.kept[seq]
        if not one.misrouted and deriver.derive(one).folded > 30:
            return one
    raise AssertionError


def test_an_unknown_engine_is_named(judged: Judged) -> None:
    one = late(judged)
    store = judged.changed(one.seq, engine="2")
    with pytest.raises(Missing, match=f"seq {one.seq} was judged by engine 2.* engine 4: it can be derived"):
        judged.deriver(store).derive(store.kept[one.seq])
    between = judged.store.of_agent(one, one.seq - 200, one.seq)[-1]
    store = judged.changed(between.seq, engine="2")
    with pytest.raises(Missing, match=f"seq {between.seq} was judged by engine 2.*what precedes"):
        judged.deriver(store).derive(one)


def test_an_erased_text_is_named(judged: Judged) -> None:
    one = late(judged)
    between = next(
        b for b in reversed(judged.store.of_agent(one, one.seq - 500, one.seq)) if b.record["arguments"]
    )
    store = judged.changed(between.seq, arguments=None, salt=None)
    with pytest.raises(Missing, match=rf"seq {between.seq} was erased from memory \(arguments\)"):
        judged.deriver(store).derive(one)
    with pytest.raises(Missing, match=rf"seq {between.seq} was erased .*without it it cannot be judged"):
        judged.deriver(store).derive(store.kept[between.seq])


def test_a_decision_between_that_is_gone_is_named(judged: Judged) -> None:
    one = late(judged)
    gone = judged.store.of_agent(one, one.seq - 200, one.seq)[-1].seq
    with pytest.raises(Missing, match=rf"decisions from seq {gone} on, .* are gone from memory"):
        judged.deriver(judged.without(lambda other: other.seq == gone)).derive(one)


def test_a_snapshot_that_is_gone_is_named(judged: Judged) -> None:
    one = late(judged)
    none = replace(judged.store, taken=[])
    with pytest.raises(Missing, match=r"no snapshot of agent .* but it acted before that day \(seq \d+\)"):
        judged.deriver(none).derive(one)
    day = one.record["received_at"] // DAY_MS
    fewer = replace(judged.without(lambda other: other.record["received_at"] // DAY_MS < day), taken=[])
    with pytest.raises(Missing, match=r"no snapshot of agent .* and decisions before seq \d+ are gone"):
        judged.deriver(fewer).derive(one)


def test_an_order_that_is_missing_is_named(judged: Judged, tmp_path: Path) -> None:
    one = late(judged)
    at = one.record["control_offset"]
    key, trusted = keys(tmp_path)
    ours = control_records(key)
    whole = [(offset, value) for offset, value in ours if offset != at - (at + 1) % 2]
    with pytest.raises(Missing, match="the order that put it in force is missing"):
        judged.deriver(past=Past(whole, trusted)).derive(one)
    with pytest.raises(Missing, match=rf"agent.control ends at offset 3, but control offset {at} is named"):
        judged.deriver(past=Past(ours[:4], trusted)).derive(one)
