"""Who is not concerned by an action has nothing to say of it; and what is remembered changes nothing."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.concern import LONGEST, Concern
from detections.detector import NOTHING, Cells, Observation
from schemas.action import DEED, Action
from tests.detections.coded import DETECTORS
from tests.detections.test_coded_hostile import HISTORIES, actions_of
from tests.policies.builders import make_action

CHOOSY = {n: d for n, d in DETECTORS.items() if hasattr(d, "concerns")}


@pytest.mark.parametrize("name", list(CHOOSY))
@settings(max_examples=40, deadline=None)
@given(history=HISTORIES)
def test_whom_an_action_does_not_concern_has_nothing_to_say(
    name: str, history: list[tuple[int, dict[str, Any]]]
) -> None:
    detector = CHOOSY[name]()
    cells: dict[str, bytes] = {}
    for action in actions_of(history):
        if action.phase not in detector.phases:
            continue
        said = detector.observe(action, cells)
        if not (action.content or detector.concerns(action) or set(detector.woken_by) & cells.keys()):
            assert said is NOTHING
        cells = {n: c for n, c in {**cells, **said.changes}.items() if c}


class Plain:
    """Looks at every call and result."""

    phases = frozenset({"call", "result"})

    def observe(self, action: Action, cells: Cells) -> Observation:
        return Observation(on=("it",))


class Picky(Plain):
    """Has something to say of calls that write, and of all of whoever has its cell."""

    woken_by = ("picky",)
    phases = frozenset({"call"})

    def __init__(self) -> None:
        self.asked = 0

    def concerns(self, action: Action) -> bool:
        self.asked += 1
        return action.action.startswith("write:")


def names(concern: Concern, cells: Cells, **fields: Any) -> list[str]:
    action = make_action(**{"phase": "call", **fields})
    return [type(observe.__self__).__name__ for observe in concern.observers(action, cells)]  # type: ignore[attr-defined]


def test_each_deed_is_asked_of_once_and_cells_wake() -> None:
    picky = Picky()
    concern = Concern([picky, Plain()])
    for number in range(3):
        assert names(concern, {}, number=number, action="read:file") == ["Plain"]
        assert names(concern, {}, number=number, action="write:file") == ["Picky", "Plain"]
    assert picky.asked == 2
    assert names(concern, {"picky": b"-"}, action="read:file") == ["Picky", "Plain"]
    assert names(concern, {"picky": b"-"}, action="read:file", phase="result") == ["Plain"]
    assert names(concern, {}, action="write:file", phase="unknown") == ["Picky", "Plain"]


def test_content_and_what_is_long_is_looked_at_by_all() -> None:
    concern = Concern([Picky()])
    assert names(concern, {}, content="x") == ["Picky"]
    assert names(concern, {}, resource="/" + "x" * LONGEST) == ["Picky"]


@given(session=st.text(), seq=st.integers(0, 2**40), cost=st.floats(0, 9), salt=st.binary())
def test_a_deed_is_what_is_done_and_not_by_whom_or_when(
    session: str, seq: int, cost: float, salt: bytes
) -> None:
    same: dict[str, Any] = {"resource": "/a", "labels": {"team": "x"}, "arguments": '{"a": 1}'}
    who = {"session_id": session, "producer_id": "p", "producer_seq": seq, "cost_usd": cost, "salt": salt}
    assert make_action(5, 1, **same).deed() == make_action(9, seq, **same, **who, agent_id="b").deed()


def test_every_field_of_a_deed_makes_it_another() -> None:
    event = "00000000-0000-0000-0000-000000000001"
    other = {"phase": "call", "mode": "enforce", "labels": {"a": "b"}, "parent_event_id": event}
    deeds = {make_action().deed()}
    for field in sorted(DEED):
        deeds.add(make_action(**{field: other.get(field, "x")}).deed())
    assert len(deeds) == len(DEED) + 1
