"""Microsoft's agent-governance-toolkit, its Python engine: every rule's text is read for each request."""

from collections.abc import Sequence
from typing import Any

from agentmesh.governance.policy import Policy, PolicyEngine, PolicyRule

from bench.rivals.plain import MOST_COST, Ready, Request, Rule


def make(rules: Sequence[Rule]) -> Ready:
    """Load some rules, a policy an agent. It has no prefixes: the folder is told as a field of its own."""
    engine = PolicyEngine(conflict_strategy="deny_overrides")
    owned: dict[str, list[PolicyRule]] = {}
    for rule in rules:
        made = PolicyRule(name=rule.name, condition=_condition(rule), action="deny" if rule.deny else "allow")
        owned.setdefault(rule.agent, []).append(made)
    for agent, policy in owned.items():
        name = f"policy-{agent}"
        engine.load_policy(Policy(name=name, agents=[agent or "*"], rules=policy))

    def decide(request: dict[str, Any]) -> bool:
        return bool(engine.evaluate(request["agent"], request).allowed)

    return Ready(_shape, decide)


def _condition(rule: Rule) -> str:
    one = len(rule.actions) == 1
    told = [f"action == '{rule.actions[0]}'" if one else f"action in [{', '.join(map(repr, rule.actions))}]"]
    if rule.folder:
        told.append(f"folder == '{rule.folder}'")
    if rule.limit:
        told.append(f"cost < {MOST_COST} and limit <= {rule.limit}")
    return " and ".join(told)


def _shape(request: Request) -> dict[str, Any]:
    return {**request._asdict()}
