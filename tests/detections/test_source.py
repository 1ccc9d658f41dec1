"""Producers' numbering against its definition, told over the whole history at once; and at its limits."""

from collections import defaultdict
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detections import source
from detections.detector import LARGEST_CELL
from detections.source_cell import EPOCHS, HOLES, read_cell, write_cell
from schemas.verdict import Finding
from tests.policies.builders import make_action

Event = tuple[str, int, int, bool]
"""Producer, epoch, number, whether it closes the epoch."""


class Follower:
    """Carries nothing but the cell's bytes from action to action."""

    def __init__(self, cell: bytes | None = None, begun: bool = False) -> None:
        self.cell = cell
        self.begun = begun
        self.at = 1000

    def see(self, event: Event) -> tuple[tuple[Finding, ...], int, str | None]:
        producer, epoch, seq, closes = event
        self.at += 1
        action = make_action(
            self.at,
            self.at,
            action=source.CLOSING if closes else "read:file",
            producer_id=producer,
            producer_epoch=epoch,
            producer_seq=seq,
        )
        numbered = action.numbered()
        assert numbered is not None
        self.cell, findings, bits, duplicate_of = source.observe(action, numbered, self.cell, self.begun)
        assert len(self.cell or b"") <= LARGEST_CELL
        assert write_cell(read_cell(self.cell)) == (self.cell or b"")
        return findings, bits, duplicate_of

    def kinds(self, *events: Event) -> list[list[str]]:
        return [[f.dedup_key.replace("/acme/a1/", " ") for f in self.see(event)[0]] for event in events]


class Oracle:
    """The definition, with everything remembered for ever."""

    def __init__(self) -> None:
        self.came: dict[tuple[str, int], list[int]] = defaultdict(list)
        self.closed: set[tuple[str, int]] = set()
        self.told: set[object] = set()

    def newest(self, producer: str) -> int:
        return max((e for p, e in self.came if p == producer), default=-1)

    def missing(self, of: tuple[str, int]) -> set[int]:
        return set(range(max(self.came[of]))) - set(self.came[of]) if of in self.came else set()

    def holes(self) -> int:
        starts = ((n, self.missing(of)) for of in list(self.came) for n in self.missing(of))
        return sum(n - 1 not in of for n, of in starts)

    def once(self, what: object, kind: str) -> list[str]:
        fresh = what not in self.told
        self.told.add(what)
        return [kind] * fresh

    def see(self, event: Event) -> tuple[list[str], int, str | None]:
        producer, epoch, seq, closes = event
        of, newest, found = (producer, epoch), self.newest(producer), []
        new, back = of not in self.came, newest > epoch
        if seq in self.came.get(of, ()):
            return [], source.DUPLICATE | self.gaps(), f"{producer}/{epoch}/{seq}"
        if new and back:
            return (
                self.once(("back", producer, newest), "source-regression"),
                source.REGRESSION | self.gaps(),
                None,
            )
        if new and newest >= 0 and (producer, newest) not in self.closed:
            found.append("source-unclosed")
        upto = max(self.came.get(of, [-1])) + 1
        back = back and seq >= upto
        if back:
            found += self.once(("back", producer, newest), "source-regression")
        found += ["source-gap"] * (seq > upto)
        if seq >= upto and of in self.closed:
            found += self.once(("overrun", of), "source-miscounted")
        was_missing = seq < upto
        self.came[of].append(seq)
        found += ["source-filled"] * (was_missing and not self.missing(of))
        if closes:
            self.closed.add(of)
            found += ["source-miscounted"] * (set(self.came[of]) != set(range(seq + 1)))
        return found, source.REGRESSION * back | self.gaps(), None

    def gaps(self) -> int:
        return source.GAP * any(self.missing((p, e)) for p, e in list(self.came) if e == self.newest(p))


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """What arrives of interleaved producers: some is lost, some comes twice, some late."""
    rng = Random(draw(st.integers(0, 2**64 - 1)))
    lives = []
    for producer in draw(st.sampled_from((["p"], ["p", "q"], ["p", "q", "r" * 200]))):
        life: list[Event] = []
        for epoch in range(rng.randint(1, 2)):
            sent = rng.randint(1, 12)
            life += [(producer, epoch, n, False) for n in range(sent)]
            life += [(producer, epoch, sent, True)] * (rng.random() < 0.7)
        lives.append(life)
    arrived: list[tuple[float, Event]] = []
    lost, twice, late = (rng.choice((0, 0, 0.1, 0.3)) for _ in range(3))
    for life in lives:
        for at, event in enumerate(life):
            copies = 0 if rng.random() < lost else 2 if rng.random() < twice else 1
            for copy in range(copies):
                delay = rng.uniform(0, 12) if copy or rng.random() < late else 0.0
                arrived.append((at + delay + rng.random() * 0.1, event))
    return [event for _, event in sorted(arrived, key=lambda pair: pair[0])]


# the second number in order of an old epoch, which then is the one heard last
OLD_IN_ORDER: list[Event] = [("p", 0, 0, False), ("p", 1, 0, False), ("p", 0, 1, False), ("p", 0, 2, False)]


@example(OLD_IN_ORDER)
@settings(max_examples=400, deadline=None)
@given(streams())
def test_equals_its_definition(events: list[Event]) -> None:
    follower, oracle = Follower(), Oracle()
    for event in events:
        findings, bits, duplicate_of = follower.see(event)
        assert ([f.detector for f in findings], bits, duplicate_of) == oracle.see(event)
        if oracle.holes() > HOLES:
            return  # what is forgotten then: the next test


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64 - 1), st.sampled_from((3, 40)))
def test_beyond_its_limits_it_never_calls_a_first_arrival_a_duplicate(seed: int, spread: int) -> None:
    rng = Random(seed)
    follower = Follower()
    came: set[Event] = set()
    for _ in range(400):
        seq = rng.choice((rng.randrange(60), rng.randrange(60), 2**63 - 1 - rng.randrange(3)))
        event = (f"p{rng.randrange(spread)}", rng.randrange(3), seq, False)
        _, _, duplicate_of = follower.see(event)
        assert duplicate_of is None or event in came
        came.add(event)
    known = read_cell(follower.cell)
    assert len(known.epochs) <= EPOCHS
    assert sum(len(e.holes) for e in known.epochs) <= HOLES


def test_a_gap_is_named_and_closed_by_what_comes_late() -> None:
    follower = Follower()
    assert follower.kinds(*[("p", 4, n, False) for n in (0, 1, 5, 6, 3, 2, 4, 7)]) == [
        [],
        [],
        ["source-gap p/4/2-4"],
        [],
        [],
        [],
        ["source-filled p/4/7"],
        [],
    ]
    found, bits, _ = follower.see(("p", 4, 9, False))
    assert found[0].message.startswith("event 8 of producer 'p', epoch 4, did not come for this agent")
    assert (found[0].first_at, found[0].last_at) == (1008, 1009)
    assert bits == source.GAP
    # a hole of the past is no open gap of the present epoch
    assert follower.see(("p", 5, 0, False))[1] == 0


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([("p", 0, 3, False)], ["source-gap p/0/0-2"]),
        ([("p", 0, 0, False), ("p", 1, 0, False)], ["source-unclosed p/0/end"]),
        ([("p", 0, 0, False), ("p", 0, 1, True), ("p", 1, 0, False)], []),
        ([("p", 0, 0, True), ("p", 2, 0, False)], []),
        ([("p", 0, 0, False), ("p", 0, 2, True)], ["source-gap p/0/1-1", "source-miscounted p/0/2"]),
        ([("p", 0, 0, False), ("p", 0, 1, True), ("p", 0, 2, False)], ["source-miscounted p/0/overrun"]),
        ([("p", 7, 0, False), ("p", 6, 0, False), ("p", 6, 1, False)], ["source-regression p/7/after-6"]),
        ([("p", 0, 0, False), ("q", 0, 0, False), ("p", 0, 1, False), ("q", 0, 1, False)], []),
    ],
)
def test_what_is_found(events: list[Event], told: list[str]) -> None:
    assert [kind for kinds in Follower().kinds(*events) for kind in kinds] == told


def test_negative_numbers_are_no_numbering() -> None:
    follower = Follower()
    for event in (("p", 0, -1, False), ("p", -1, 0, False), ("p", -1, 5, True)):
        assert follower.see(event) == ((), 0, None)
    assert not follower.cell
    assert make_action(producer_seq=7).numbered() is None


def test_an_agent_that_was_known_before_may_begin_anywhere() -> None:
    follower = Follower(begun=True)
    assert follower.kinds(("p", 1, 41, False), ("p", 1, 40, False), ("p", 1, 43, False)) == [
        [],
        [],
        ["source-gap p/1/42-42"],
    ]
    assert follower.kinds(("q", 0, 1, False)) == [["source-gap q/0/0-0"]]


def test_a_long_producer_id_is_followed_too_and_never_fills_the_decision() -> None:
    follower, name = Follower(), "é" * 40_000
    assert follower.see((name, 0, 0, False))[2] is None
    repeated = follower.see((name, 0, 0, False))[2]
    assert repeated is not None
    assert repeated.startswith("sha256:")
    assert len(repeated) < 100
    found = follower.see((name, 0, 2, False))[0]
    assert [f.detector for f in found] == ["source-gap"]
    assert len(found[0].message) < 400


@pytest.mark.parametrize("cell", [b"\x01", b"\x02" + bytes(60), b"\x01\x00\x00", b"\x01\x00\x00" + bytes(40)])
def test_a_foreign_cell_is_an_error(cell: bytes) -> None:
    with pytest.raises(ValueError, match="a cell of"):
        Follower(cell).see(("p", 0, 0, False))
