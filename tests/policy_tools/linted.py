"""Policies to look over, from the parts that a test cares for."""

import json
from typing import Any

from policies.linting.finding import Finding
from policies.linting.lint import lint_policies
from policies.load import Loaded, load_policies

CASES = [
    {"name": "yes", "expect": "allow", "action": {"action": "no:such"}},
    {"name": "no", "expect": "deny", "action": {"action": "no:such"}},
]


def rule(number: int, **keys: Any) -> dict[str, Any]:
    """A rule that no lint has anything to say of, but for what is given."""
    plain = {"effect": "deny", "match": {"actions": ["read:*"]}, "tags": ["ASI01"]}
    return {"id": f"r{number}", "message": "this is why", **plain, **keys}


def load(*rules: dict[str, Any], **document: Any) -> Loaded:
    """A policy of some rules; `document` has what else it says, `beside` other documents."""
    beside = document.pop("beside", [])
    policy = {
        "apiVersion": "praetor/v1",
        "kind": "Policy",
        "metadata": {"name": "p", "description": "Of a test."},
        "rules": [rule(i, **keys) for i, keys in enumerate(rules)],
        "cases": CASES,
        **document,
    }
    documents = [{"apiVersion": "praetor/v1", **d} for d in (policy, *beside)]
    text = "\n---\n".join(json.dumps(d, indent=1) for d in documents)
    return load_policies([("f.yaml", text.encode())])


def found(loaded: Loaded, *codes: str) -> list[Finding]:
    """The findings of some codes."""
    return [f for f in lint_policies(loaded) if f.code in codes]


def codes(*rules: dict[str, Any], **document: Any) -> set[str]:
    """The codes found, without those of the cases."""
    return {f.code for f in lint_policies(load(*rules, **document), ("PL401", "PL402"))}
