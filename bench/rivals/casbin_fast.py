"""pycasbin's FastEnforcer: rules are found by agent and action, those found are evaluated one by one."""

from collections.abc import Sequence
from typing import Any

from casbin import FastEnforcer
from casbin.model import FastModel

from bench.rivals.plain import MOST_COST, Ready, Request, Rule

KEYS = (0, 1)
"""By which fields of a request rules are found: agent and action."""

MODEL = """
[request_definition]
r = sub, act, obj, cost, most

[policy_definition]
p = sub, act, obj, most, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.sub == p.sub && r.act == p.act && keyMatch(r.obj, p.obj) && within(r.cost, r.most, p.most)
"""


def make(rules: Sequence[Rule]) -> Ready:
    """Load some rules; what is for all agents, once for each agent, as keys are compared whole."""
    model = FastModel(KEYS)
    model.load_model_from_text(MODEL)
    enforcer = FastEnforcer(model, cache_key_order=KEYS)
    enforcer.add_function("within", _within)
    agents = sorted({rule.agent for rule in rules if rule.agent})
    rows = [
        [agent, action, f"{rule.folder}/*", str(rule.limit), "deny" if rule.deny else "allow"]
        for rule in rules
        for agent in ([rule.agent] if rule.agent else agents)
        for action in rule.actions
    ]
    enforcer.add_policies(rows)

    def decide(request: tuple[Any, ...]) -> bool:
        return bool(enforcer.enforce(*request))

    return Ready(_shape, decide)


def _within(cost: float, asked: int, most: str) -> bool:
    return most == "0" or (cost < MOST_COST and asked <= int(most))


def _shape(request: Request) -> tuple[Any, ...]:
    return request.agent, request.action, request.resource, request.cost, request.limit
