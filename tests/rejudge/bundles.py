"""Bundles that differ in their thresholds, and whose rules depend on all that is remembered of an agent.

Every other one has shipped rules and correlations on, beside the detectors in code.
"""

from typing import Any

from judgement.loading import set_detections
from policies.bundle import Bundle, build_bundle
from policies.model import Policy
from tests.streams.rich import remembering_files

FOUND = ["secret-in-arguments", "injected-instructions", "credential-hunting", "failure-storm"]
_FINDING: list[dict[str, Any]] = [
    {"id": "found", "effect": "deny", "match": {"detections": FOUND}, "message": "found"},
    {
        "id": "held",
        "effect": "require_approval",
        "match": {"recent_detections": FOUND},
        "message": "found not long ago",
    },
]


def remembering(number: int) -> Bundle:
    """Limits by session, conditions on agent and session, detections: other thresholds for each number."""
    calls, library = 15 + 7 * number, number % 2 == 1
    rules: list[dict[str, Any]] = [
        {"id": "ordinary", "effect": "allow", "match": {"actions": ["read:*", "chat:*"]}, "message": "fine"},
        {
            "id": "enough",
            "effect": "deny",
            "match": {},
            "limit": {"calls": calls, "per": "session", "window": "1d"},
            "message": "enough for a day",
        },
        {
            "id": "tired",
            "effect": "require_approval",
            "match": {"actions": ["read:*"]},
            "when": f"session.actions % 11 == {number} && agent.denials > {number}",
            "message": "look again",
        },
        {
            "id": "clamped",
            "effect": "modify",
            "match": {"tools": ["tool"], "actions": ["read:*"]},
            "modify": [{"clamp": "n", "max": 500 + number}],
            "message": "not more",
        },
        {"id": "burst", "effect": "defer", "match": {"detections": ["denial-burst"]}, "message": "calm down"},
        {
            "id": "twice",
            "effect": "deny",
            "match": {"detections": ["source-duplicate"]},
            "message": "came before",
        },
    ]
    rules += _FINDING if library else []
    document = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": "remembering", "description": f"thresholds {number}"},
        "rules": rules,
        "cases": [
            {"name": "yes", "action": {"action": "read:x"}, "expect": "allow"},
            {"name": "no", "action": {"action": "other:x"}, "expect": "deny"},
        ],
    }
    settings = {
        "denial-burst": {"count": 3 + number, "window_seconds": 600 * (number + 1)},
        "loop": {"rounds": 5 + number},
    }
    detections = set_detections(settings, remembering_files() if library else ())
    return build_bundle([Policy.model_validate(document)], detections)
