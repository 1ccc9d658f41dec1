"""Cedar (Rust) through cedarpy: policies parsed once; all of them are evaluated for each request."""

from collections.abc import Sequence
from typing import Any

from cedarpy import Decision, Entities, PolicySet, is_authorized

from bench.rivals.plain import MOST_COST, Ready, Request, Rule


def make(rules: Sequence[Rule]) -> Ready:
    """Load some rules. Resources stand in the context, where `like` can compare them."""
    policies = PolicySet.from_str("\n".join(map(_policy, rules)))
    entities = Entities.from_json_str("[]")

    def decide(request: dict[str, Any]) -> bool:
        return is_authorized(request, policies, entities).decision == Decision.Allow

    return Ready(_shape, decide)


def _policy(rule: Rule) -> str:
    who = f'principal == Agent::"{rule.agent}"' if rule.agent else "principal"
    actions = ", ".join(f'Action::"{action}"' for action in rule.actions)
    what = f"action == {actions}" if len(rule.actions) == 1 else f"action in [{actions}]"
    told = [f'context.path like "{rule.folder}/*"'] if rule.folder else []
    if rule.limit:
        told.append(f"context.micros < {MOST_COST * 1_000_000} && context.limit <= {rule.limit}")
    when = f" when {{ {' && '.join(told)} }}" if told else ""
    return f'@id("{rule.name}") {"forbid" if rule.deny else "permit"} ({who}, {what}, resource){when};'


def _shape(request: Request) -> dict[str, Any]:
    return {
        "principal": {"type": "Agent", "id": request.agent},
        "action": {"type": "Action", "id": request.action},
        "resource": {"type": "Resource", "id": "any"},
        "context": {
            "path": request.resource,
            "micros": round(request.cost * 1_000_000),
            "limit": request.limit,
        },
    }
