"""State stays below its bound whatever comes; what was lost there is told, and nothing else is wrong."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.detector import LARGEST_CELL
from detections.sigma.correlation.asking import condition_of
from detections.sigma.correlation.compiled import LOST
from detections.sigma.correlation.entries import ROOM, Entry
from detections.sigma.correlation.model import Correlation
from detections.sigma.correlation.pruning import pruning_of
from detections.sigma.correlation.window import MOST_PAGES
from tests.detections.correlations.making import Agent, act, correlation

MOST = MOST_PAGES * ROOM[0]


def _held(agent: Agent) -> int:
    cells = [cell for cell in agent.cells.values() if cell]
    assert all(len(cell) <= LARGEST_CELL for cell in cells)
    assert len(cells) <= MOST_PAGES
    return len(cells)


def test_a_flood_of_groups_is_bounded_and_told() -> None:
    agent = Agent(correlation("event_count", group_by=["agent_id", "resource"], threshold=2, timespan=3600))
    lost = False
    for number in range(3_000):
        on, _ = agent.sees(act(number / 20, resource=f"/{number}"), "one")
        assert not on
        assert bool(agent.errors) >= lost
        lost = bool(agent.errors)
        if number < MOST:
            assert not lost
        if number % 500 == 0:
            _held(agent)
    assert agent.errors == (f"it: {LOST}",)
    # an hour later nothing of that counts any more
    assert agent.sees(act(4_000, resource="/new"), "one") == ([], [])
    assert not agent.errors


def test_what_is_on_at_the_bound_is_on_all_the_same() -> None:
    agent = Agent(correlation("event_count", group_by=["agent_id", "resource"], threshold=3, timespan=3600))
    for number in range(3_000):
        agent.sees(act(number / 20, resource=f"/{number}"), "one")
    told = [agent.sees(act(31 + n, resource="/same"), "one") for n in range(3)]
    assert told == [([], []), ([], []), (["it"], ["it"])]
    assert agent.errors


def test_an_order_whose_beginning_was_lost_is_told() -> None:
    group_by = ["agent_id", "resource"]
    rules = ["one", "two"]
    of = correlation("temporal_ordered", rules=rules, threshold=2, group_by=group_by, timespan=3600)
    agent = Agent(of)
    for number in range(MOST + ROOM[0] + 1):
        agent.sees(act(number / 100, resource=f"/{number}"), "one")
    assert agent.sees(act(30, resource="/0"), "two") == ([], [])
    assert agent.errors == (f"it: {LOST}",)


def test_one_busy_group_never_reaches_the_bound() -> None:
    agent = Agent(correlation("event_count", threshold=20, timespan=86_400))
    fired = 0
    for number in range(3_000):
        on, fires = agent.sees(act(number / 10), "one")
        fired += len(fires)
        assert bool(on) == (number >= 19)
        assert not agent.errors
    assert fired == 1
    assert _held(agent) <= 3


def test_an_event_changes_one_cell() -> None:
    agent = Agent(correlation("value_sum", fields=["size_bytes"], threshold=10**9, timespan=86_400))
    written = []
    for number in range(600):
        action = act(number / 10, size_bytes=5)
        written.append(len(agent.engine.observe(action, [1], agent.cells).changes))
        agent.sees(action, "one")
    assert set(written) == {1}
    assert _held(agent) == -(-600 // ROOM[1])


def test_actions_of_no_rule_that_is_looked_at_cost_nothing() -> None:
    agent = Agent(correlation("event_count"))
    assert agent.engine.observe(act(0), [2, 3], {}).changes == {}
    assert agent.engine.referred == {1}


@pytest.mark.parametrize(
    "cell", [b"", b"\x02", b"\x01\x00short", b"\x01\x00" + bytes(13), b"\x01\x01" + bytes(47)]
)
def test_a_cell_that_is_none_of_ours_is_an_error(cell: bytes) -> None:
    agent = Agent(correlation("event_count"))
    agent.cells = {agent.engine.cells[0]: cell}
    if not cell:
        assert agent.sees(act(0), "one") == (["it"], ["it"])
        return
    with pytest.raises(ValueError, match="is no page"):
        agent.sees(act(0), "one")
    assert agent.cells == {agent.engine.cells[0]: cell}


PRUNED = (
    correlation("event_count", threshold=2),
    correlation("value_count", threshold=2, fields=["resource"]),
    correlation("value_count", threshold=1, operator="eq", fields=["resource"]),
    correlation(
        "temporal", rules=["one", "two", "three"], expression=["and", "one", ["not", "two"], "three"]
    ),
    correlation("temporal", rules=["one", "two", "three"], threshold=2, operator="eq"),
    correlation("temporal_ordered", rules=["one", "two", "three"], threshold=3),
)


@given(
    of=st.sampled_from(PRUNED),
    said=st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 7), st.integers(0, 3)), min_size=2, max_size=14
    ),
    cut=st.integers(1, 12),
)
def test_what_is_pruned_changes_no_answer(
    of: Correlation, said: list[tuple[int, int, int]], cut: int
) -> None:
    at, entries = 0, []
    for step, rules, value in said:
        at += step
        entries.append(Entry(at, b"", rules, 0, b"", value))
    kept = pruning_of(of)(entries[:cut]) + entries[cut:]
    holds = condition_of(of)
    for span in range(1, at + 2):
        whole, less = ([e for e in known if e.at > at - span] for known in (entries, kept))
        if cut < len(entries):
            assert holds(whole) == holds(less)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_many_pages_hold_what_few_would(seed: int, groups: int) -> None:
    rng = Random(seed)
    agent = Agent(
        correlation(
            "value_count", fields=["resource"], threshold=30, timespan=20, group_by=["agent_id", "tool"]
        )
    )
    known: list[tuple[float, str, str]] = []
    at = 0.0
    for _ in range(150):
        at += rng.random() / 3
        tool, resource = f"t{rng.randrange(groups)}", f"/{rng.randrange(60)}"
        known.append((at, tool, resource))
        on, _ = agent.sees(act(at, tool=tool, resource=resource), "one")
        seen = {r for t, g, r in known if g == tool and round(t * 1000) > round(at * 1000) - 20_000}
        assert bool(on) == (len(seen) >= 30)
    _held(agent)
