"""Correlations as people write them: what is read, and what is refused, with its place."""

from typing import Any

import pytest
import yaml

from detections.sigma.correlation.model import Correlation
from detections.sigma.correlation.reading import (
    check_together,
    parse_correlation,
    read_correlation,
)
from tests.detections.correlations.making import correlation

C = "correlation"
NAMES = {
    "login": "login",
    "5638f7c0-ac70-491d-8465-2a65075e0d86": "login",
    "logout": "logout",
    "burst": "burst",
}


def read(text: str, **changes: Any) -> tuple[Correlation | None, list[tuple[Any, str]]]:
    document = yaml.safe_load(text)
    document["correlation"] |= changes
    parsed, errors = parse_correlation(document)
    assert parsed is not None
    assert not errors, errors
    told: list[tuple[Any, str]] = []
    return read_correlation(parsed, NAMES, lambda path, message: told.append((path, message))), told


COUNT = """
title: Many logins
name: many-logins
id: 0e95725d-7320-415d-80f7-004da920fc11
level: high
tags: [owasp.asi02]
runbook: Ask.
correlation:
  type: event_count
  rules: [5638f7c0-ac70-491d-8465-2a65075e0d86, logout]
  group-by: [agent_id, host]
  timespan: 90m
  aliases:
    host: {login: args.host, logout: args.from}
  condition: {gte: 100}
"""

TEMPORAL = """
title: Both
name: both
clock: occurred_at
correlation:
  type: temporal
  rules: [login, logout, burst]
  group-by: agent_id
  timespan: 1d
  generate: true
"""


def test_what_is_written_is_read() -> None:
    found, told = read(COUNT)
    assert told == []
    assert found is not None
    assert (found.name, found.level, found.tags, found.runbook) == (
        "many-logins",
        "high",
        ("owasp.asi02",),
        "Ask.",
    )
    assert (found.kind, found.rules, found.timespan) == ("event_count", ("login", "logout"), 5400)
    assert (found.operator, found.threshold, found.scope) == ("gte", 100, "agent")
    assert found.aliases == {"host": {"login": "args.host", "logout": "args.from"}}
    assert Correlation.model_validate(found.to_json()) == found


def test_a_temporal_one_asks_for_all_of_its_rules() -> None:
    found, _ = read(TEMPORAL)
    assert found is not None
    assert (found.operator, found.threshold, found.clock, found.generate) == ("gte", 3, "occurred_at", True)
    ordered, _ = read(TEMPORAL, type="temporal_ordered")
    assert ordered is not None
    assert ordered.rules == ("login", "logout", "burst")


def test_a_boolean_condition_is_a_tree_of_names() -> None:
    found, _ = read(TEMPORAL, condition="login and (logout or not burst)")
    assert found is not None
    assert found.expression == ["and", "login", ["or", "logout", ["not", "burst"]]]
    without, _ = read(TEMPORAL, rules=None, condition="login and not logout")
    assert without is not None
    assert without.rules == ("login", "logout")


@pytest.mark.parametrize(
    ("field", "kind", "more"),
    [
        ("args.to", "value_count", {}),
        (["args.to", "tool"], "value_count", {}),
        ("cost_usd", "value_sum", {}),
        ("size_bytes", "value_avg", {}),
        ("size_bytes", "value_median", {}),
        ("size_bytes", "value_percentile", {"percentile": 95}),
    ],
)
def test_kinds_with_values_name_their_field(field: Any, kind: str, more: dict[str, Any]) -> None:
    found, told = read(COUNT, type=kind, condition={"gt": 2, "field": field} | more)
    assert told == []
    assert found is not None
    assert found.kind == kind
    assert list(found.fields) == (field if isinstance(field, list) else [field])
    assert found.percentile == more.get("percentile", 50)


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"rules": ["login", "nobody"]}, (C, "rules", 1), "there is no rule nobody"),
        ({"rules": ["login", "5638f7c0-ac70-491d-8465-2a65075e0d86"]}, (C,), "names a rule twice"),
        ({"group_by": ["agent_id"]}, (C, "group_by"), "there is no group_by here"),
        ({"group-by": ["agent_id", "Computer"]}, (C, "group-by"), "there is no field Computer"),
        ({"group-by": ["agent_id", "command"]}, (C, "group-by"), "stands for several fields"),
        ({"timespan": "2M"}, (C, "timespan"), "less than or equal to 2678400"),
        ({"condition": {"gte": 2.5}}, (C,), "whole number from 0 to 500"),
        ({"condition": {"gte": 1000}}, (C,), "whole number from 0 to 500"),
        ({"condition": {"gte": 1, "field": "tool"}}, (C,), "event_count has no field"),
        ({"condition": {"gte": 1, "percentile": 5}}, (C, "condition"), "has no percentile"),
        ({"aliases": {"host": {"login": "args.a"}}}, (C,), "names no field for logout"),
        ({"aliases": {"host": {"login": "args.a", "burst": "args.b"}}}, (C,), "burst"),
        (
            {"aliases": {"tool": {"login": "args.a", "logout": "tool"}}, "group-by": ["agent_id"]},
            (C, "aliases", "tool"),
            "is a field",
        ),
        ({"aliases": {"host": {"login": "args.a", "logout": "x"}}}, (C, "aliases"), "there is no field x"),
        ({"type": "temporal_ordered", "condition": {"gte": 1}}, (C,), "leave the condition out"),
        (
            {"type": "temporal_ordered", "rules": ["login", "logout"], "condition": "login and logout"},
            (C,),
            "no boolean condition",
        ),
        ({"type": "value_sum", "condition": {"gt": 1, "field": ["tool", "model"]}}, (C,), "one field"),
        ({"type": "value_sum", "condition": {"gt": 1e-7, "field": "cost_usd"}}, (C,), "six decimals"),
        ({"type": "value_sum", "condition": {"gt": 1e13, "field": "cost_usd"}}, (C,), "beyond"),
        (
            {"type": "value_percentile", "condition": {"gt": 1, "field": "cost_usd"}},
            (C, "condition"),
            "needs a percentile",
        ),
    ],
)
def test_what_cannot_be_is_told_at_its_place(changes: dict[str, Any], place: Any, words: str) -> None:
    found, told = read(COUNT, **changes)
    assert found is None
    assert [path for path, _ in told] == [place], told
    assert words in told[0][1]


def test_agents_cannot_look_at_what_spans_agents() -> None:
    wide = correlation("event_count", name="wide", group_by=["resource"])
    over = correlation("event_count", name="over", rules=["wide"])
    told: list[tuple[str, str]] = []
    check_together([wide, over], lambda name, message: told.append((name, message)))
    assert [name for name, _ in told] == ["over"]
    assert "wide, whose groups span agents" in told[0][1]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "often"},
        {"timespan": "soon"},
        {"condition": {"field": "tool"}},
        {"condition": {"gte": "many"}},
        {"condition": {"gte": 1, "percentile": None}},
        {"condition": "login and logout"},
        {"rules": None},
        {"aliases": ["host"]},
        {"group-by": 5},
    ],
)
def test_what_pysigma_refuses_is_its_error_and_never_a_crash(changes: dict[str, Any]) -> None:
    document = yaml.safe_load(COUNT)
    document["correlation"] |= changes
    _, errors = parse_correlation(document)
    assert errors
    assert parse_correlation({"title": "x", "correlation": 5})[1]


def test_correlations_in_a_circle_are_told_each() -> None:
    one = correlation("event_count", name="a", rules=["b"])
    two = correlation("event_count", name="b", rules=["a"])
    outside = correlation("event_count", name="c", rules=["a"])
    told: list[str] = []
    check_together([one, two, outside], lambda name, _: told.append(name))
    assert told == ["a", "b"]
