"""The IR: JSON there and back, and what is refused when a bundle is read."""

import json

import pytest
from pydantic import ValidationError

from detections.sigma.rule import DEEPEST, MOST_ATOMS, SigmaRule

ATOM = {"op": "contains", "field": "content", "value": "x"}


def rule(condition: object, **more: object) -> SigmaRule:
    return SigmaRule.model_validate({"name": "r", "title": "A rule", "condition": condition} | more)


def nested(levels: int) -> object:
    return ATOM if levels == 1 else {"not": nested(levels - 1)}


def test_a_rule_is_the_same_after_json():
    before = rule(
        {
            "and": [
                ATOM,
                {
                    "or": [
                        {"not": {"op": "null", "field": "tool"}},
                        {"op": "is", "field": "args.n", "value": 1},
                    ]
                },
            ]
        },
        tags=["asi01"],
        phase="call",
        falsepositives=["tests"],
    )
    assert SigmaRule.model_validate(json.loads(json.dumps(before.to_json()))) == before


def test_a_comparison_keeps_the_type_of_its_value():
    for value in ("1", 1, 1.5, True):
        kept = rule({"op": "is", "field": "args.n", "value": value}).to_json()["condition"]["value"]
        assert kept == value and type(kept) is type(value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"op": "contains", "field": "content", "value": 5},
        {"op": "contains", "field": "content"},
        {"op": "contains", "field": "content", "value": "x", "flags": "i"},
        {"op": "contains", "field": "content", "value": "\ud800"},
        {"op": "re", "field": "content", "value": "(?=a)"},
        {"op": "re", "field": "content", "value": "a" * 1001},
        {"op": "re", "field": "content", "value": "(a{1000}){1000}"},
        {"op": "cidr", "field": "args.ip", "value": "10.0.0.0/99"},
        {"op": "gt", "field": "cost_usd", "value": "5"},
        {"op": "gt", "field": "cost_usd", "value": True},
        {"op": "gt", "field": "cost_usd", "value": 2**53 + 1},
        {"op": "hour", "field": "received_at", "value": 1.5},
        {"op": "exists", "field": "tool", "value": "yes"},
        {"op": "null", "field": "tool", "value": "x"},
        {"op": "matches", "field": "tool", "value": "x"},
        {"op": "is", "field": "tool", "value": "x", "more": 1},
        {"op": "is", "field": "no_such_field", "value": "x"},
        {"op": "ref", "field": "tool", "value": "no_such_field"},
        {"op": "is", "field": "tool", "value": float("inf")},
        {"and": [ATOM], "or": [ATOM]},
        nested(DEEPEST + 1),
        {"or": [ATOM] * (MOST_ATOMS + 1)},
        [ATOM],
        "x",
    ],
)
def test_what_cannot_be_evaluated_is_refused(wrong):
    with pytest.raises(ValidationError):
        rule(wrong)


def test_what_is_just_within_bounds_is_not():
    rule(nested(DEEPEST))
    rule({"or": [ATOM] * MOST_ATOMS})
