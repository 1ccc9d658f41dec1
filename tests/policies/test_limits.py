"""Limits: exactly so many, in every window, and cells that stay small."""

import random
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detections.detector import LARGEST_CELL
from policies.counting import count
from policies.index import Index
from policies.limits import MOST_KEYS, Spent
from policies.signals import QUIET
from schemas.action import Action
from schemas.verdict import Effect, Verdict
from tests.policies.builders import make_action, make_content, make_index

ALLOW: dict[str, Any] = {"effect": "allow"}


def limited(**limit: object) -> Index:
    return make_index(make_content(ALLOW, {"effect": "deny", "limit": limit}))


def judged(index: Index, action: Action, cells: dict[str, bytes]) -> Verdict:
    ruling = index.decide(action, QUIET, cells)
    verdict, changes = count(action, ruling.verdict, ruling.charges, cells)
    cells.update(changes)
    for name in [n for n, cell in cells.items() if not cell]:
        del cells[name]
    return verdict


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from((1, 3, 20)), st.sampled_from((60_000, 3_600_000)))
def test_no_window_ever_holds_more_than_the_limit(seed: int, most: int, window: int) -> None:
    rng, cells = random.Random(seed), dict[str, bytes]()
    index = limited(calls=most, window=f"{window // 1000}s")
    now, allowed = rng.randrange(2**41), list[int]()
    for _ in range(200):
        now += int(rng.expovariate(1) * window / (2 * most))
        verdict = judged(index, make_action(now), cells)
        earlier = sum(1 for at in allowed if at > now - window)
        # a slot is a sixtieth of the window: what left it less than that ago may still count
        surely = sum(1 for at in allowed if at > now - window - window // 60 - 1000)
        if verdict.effect is Effect.allow:
            allowed.append(now)
            assert earlier < most
        else:
            assert surely >= most
        assert all(len(cell) <= LARGEST_CELL for cell in cells.values())


@pytest.mark.parametrize(
    ("calendar", "last", "first"),
    [
        ("hour", "2026-03-01T10:59:59.999", "2026-03-01T11:00:00"),
        ("day", "2026-02-28T23:59:59.999", "2026-03-01T00:00:00"),
        ("week", "2026-03-01T23:59:59.999", "2026-03-02T00:00:00"),
        ("month", "2026-02-28T23:59:59.999", "2026-03-01T00:00:00"),
    ],
)
def test_a_calendar_window_begins_anew_at_its_bound(calendar: str, last: str, first: str) -> None:
    cells: dict[str, bytes] = {}
    index = limited(calls=1, calendar=calendar)
    effects = [
        judged(index, make_action(milliseconds(at)), cells).effect for at in (last, last, first, first)
    ]
    assert effects == [Effect.allow, Effect.deny, Effect.allow, Effect.deny]


def milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def test_what_remains_is_part_of_the_decision() -> None:
    cells: dict[str, bytes] = {}
    index = limited(cost_usd=1, window="1h")
    left = [
        judged(index, make_action(0, cost_usd=cost), cells).limits_remaining["p/r1"]
        for cost in (0.25, 0.5, 0.3, 0.25, 0.0)
    ]
    assert left == [0.75, 0.25, 0.25, 0.0, 0.0]


def test_what_is_denied_does_not_count_but_what_happened_does() -> None:
    made: list[dict[str, Any]] = [ALLOW, {"effect": "deny", "match": {"resources": ["/no"]}}]
    index = make_index(make_content(*made, {"effect": "deny", "limit": {"calls": 2, "window": "1h"}}))
    cells: dict[str, bytes] = {}
    for phase, resource, left in (("call", "/no", 2), ("result", "/no", 1), ("call", "/yes", 0)):
        verdict = judged(index, make_action(phase=phase, resource=resource), cells)
        assert verdict.limits_remaining == {"p/r2": left}
    assert judged(index, make_action(), cells).effect is Effect.deny


@pytest.mark.parametrize(("per", "field"), [("session", "session_id"), ("tool", "tool")])
def test_each_has_a_count_of_its_own_and_they_do_not_pile_up(per: str, field: str) -> None:
    index = limited(calls=1, per=per, window="1m")
    cells: dict[str, bytes] = {}

    def tried(at: int, value: str) -> Effect:
        fields: dict[str, Any] = {field: value}
        return judged(index, make_action(at, **fields), cells).effect

    for i in range(MOST_KEYS):
        assert tried(0, f"k{i}") is Effect.allow
    assert tried(0, "k0") is Effect.deny
    # those beyond share one count: no agent gains by ever new names
    assert tried(0, "x") is Effect.allow
    assert tried(0, "y") is Effect.deny
    assert len(cells) == MOST_KEYS + 1
    assert tried(120_000, "z") is Effect.allow
    assert len(cells) == 1


def test_a_cost_that_is_no_number_is_an_error_not_a_free_ride() -> None:
    index = limited(cost_usd=1, window="1h")
    for cost in (float("nan"), float("inf")):
        verdict = judged(index, make_action(cost_usd=cost), {})
        assert verdict.effect is Effect.deny
        assert "cannot be counted" in verdict.errors[0]


def test_a_broken_count_denies() -> None:
    index, cells = limited(calls=9, window="1h"), dict[str, bytes]()
    judged(index, make_action(), cells)
    [name] = cells
    verdict = judged(index, make_action(), {name: b"nonsense"})
    assert verdict.effect is Effect.deny
    assert "no cell of a limit" in verdict.errors[0]


def test_a_limit_over_several_agents_counts_its_own_at_once_and_all_as_told() -> None:
    index = limited(calls=10, per="tenant", window="1h")
    cells: dict[str, bytes] = {}
    for at in (0, 0, 60_000):
        judged(index, make_action(at), cells)
    minute = 60_000
    told = {("p/r1", "acme"): ((0, 5), (minute // 60_000, 1))}

    def left(spent: Spent, **fields: Any) -> float:
        ruling = index.decide(make_action(2 * minute, **fields), QUIET, cells, spent)
        return ruling.charges[0].remaining(False)

    assert left({}) == 7  # nothing told: what this agent did itself
    assert left(told) == 4  # its own are among the six that were told
    assert left({("p/r1", "acme"): ((0, 5),)}) == 4  # and what came after that is added
    assert left(told, tenant="umbrella") == 10
    assert left({("p/r1", "acme"): ((0, 10),)}) == 0
