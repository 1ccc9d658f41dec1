"""Detectors in code on odd input: they end, keep their bounds, and fail only as they may."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.activity import count_action
from detections.detector import FAILURES, Observation
from schemas.action import PHASES, Action
from tests.detections.coded import DETECTORS, run_decided
from tests.policies.builders import make_action

TEXTS = st.one_of(
    st.none(),
    st.text(max_size=200),
    st.sampled_from(("", "{", "[" * 5000, '{"a":' * 3000, "\x00", "\ud7ff", "\U000e0041" * 50, "a" * 70_000)),
)
NUMBERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from((0, 1, 10**9)))
COSTS = st.one_of(st.floats(), st.sampled_from((0.0, 1.0, math.nan, math.inf, -1.0)))
EVENTS = st.fixed_dictionaries(
    {
        "phase": st.sampled_from(PHASES),
        "session_id": st.sampled_from((None, "", "s", "t")),
        "action": st.sampled_from(
            ("call:tool", "delegate:agent", "exec:shell", "delete:x", "chat:model", "")
        ),
        "resource": st.text(max_size=60),
        "tool": st.one_of(st.none(), st.text(max_size=40), st.sampled_from(("search", "send_mail"))),
        "tool_server": st.sampled_from((None, "a", "b")),
        "arguments": TEXTS,
        "content": TEXTS,
        "input_tokens": NUMBERS,
        "cost_usd": COSTS,
        "on_behalf_of": st.sampled_from((None, "ann")),
        "labels": st.dictionaries(
            st.sampled_from(("delegation_depth", "delegation_chain")), st.text(max_size=9)
        ),
    }
)
HISTORIES = st.lists(st.tuples(st.sampled_from((0, 5, 900, 60_000, 86_400_000)), EVENTS), max_size=25)


def actions_of(history: list[tuple[int, dict[str, Any]]]) -> list[Action]:
    at, actions = 1_767_614_400_000, []
    for number, (pause, event) in enumerate(history):
        at += pause
        actions.append(make_action(at, number + 1, **event))
    return actions


@pytest.mark.parametrize("name", list(DETECTORS))
@settings(max_examples=25, deadline=None)
@given(history=HISTORIES, denials=st.integers(0, 2**25))
def test_any_history_is_looked_at_and_always_alike(
    name: str, history: list[tuple[int, dict[str, Any]]], denials: int
) -> None:
    """A new detector at each step gives the same: nothing is carried on but the cells' bytes."""
    actions = actions_of(history)
    events = [(action, bool(denials >> number & 1)) for number, action in enumerate(actions)]
    detector = DETECTORS[name]()
    said = run_decided(detector, events)
    cells: dict[str, bytes] = {}
    for event, before_said in zip(events, said, strict=True):
        before = dict(cells)
        [again] = run_decided(DETECTORS[name](), [event], cells)
        assert again == before_said
        assert {k for k in cells if before.get(k) != cells[k]} <= {"activity", *detector.cells}


@pytest.mark.parametrize("name", list(DETECTORS))
@settings(max_examples=25, deadline=None)
@given(event=EVENTS, cell=st.binary(max_size=300), version=st.booleans())
def test_a_cell_that_is_none_of_its_own_is_a_failure(
    name: str, event: dict[str, Any], cell: bytes, version: bool
) -> None:
    """Or is taken as one, where nothing tells it apart: but nothing else is raised."""
    detector = DETECTORS[name]()
    action = make_action(1_767_614_400_000, **event)
    for own in detector.cells:
        try:
            said = detector.observe(action, {own: b"\x01" * version + cell})
        except FAILURES:
            continue
        assert isinstance(said, Observation)


@pytest.mark.parametrize("name", [n for n, d in DETECTORS.items() if d.cells])
def test_a_later_form_of_a_cell_is_refused(name: str) -> None:
    """An older worker says so, and does not take it for its own."""
    detector = DETECTORS[name]()
    before = {"activity": count_action(None, 1_767_614_399_999, False)}
    later = before | {own: b"\xff" + bytes(299) for own in detector.cells}
    phase = "definition" if name == "definitions" else "call"
    action = make_action(
        1_767_614_400_000, phase=phase, action="delegate:agent", tool="delete", content="x", cost_usd=1.0
    )
    with pytest.raises(FAILURES):
        detector.observe(action, later)
