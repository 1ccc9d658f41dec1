"""Cases for rules that were imported: an action that each rule speaks of, and what is decided of it."""

from collections.abc import Sequence
from typing import Any

from policies.case import Case
from policies.cases import Trial
from policies.imports.agt_condition import Atom, name_of
from policies.imports.agt_rules import Read

_BESIDE = {">": 1.0, ">=": 0.0, "<": -1.0, "<=": 0.0}


def make_cases(read: Sequence[Read], trial: Trial) -> list[dict[str, Any]]:
    """A case a rule, one for each limit, and one that no rule speaks of; expecting what is decided."""
    cases: list[dict[str, Any]] = []
    for rule in read:
        action = _sample(rule)
        cases.append({"name": rule.name[:150], "action": action})
        for limited in rule.rules[1:]:
            most = int(limited["limit"]["calls"])
            if most <= 1000:
                cases.append(
                    {"name": f"{rule.name[:150]}, beyond its limit", "action": action, "after": most}
                )
    unheard = _whose(read[0]) if read else {}
    cases.append({"name": "what no rule speaks of", "action": {"action": "unheard:of", **unheard}})
    return [_decided(case, trial) for case in cases]


def _sample(rule: Read) -> dict[str, Any]:
    """An action of which the rule's condition holds, as far as each comparison alone can make it."""
    made = {"action": "call:tool", "phase": rule.rules[0]["match"]["phases"][0], **_whose(rule)}
    for atom in rule.condition[0]:
        value = _value(atom)
        name = name_of(atom.field)
        if value is None:
            continue
        if not name.startswith("args."):
            made[name] = f"{value}:it" if name == "action" and ":" not in value else value
            continue
        holder = made.setdefault("arguments", {})
        *steps, last = name.removeprefix("args.").split(".")
        for step in steps:
            inner = holder.setdefault(step, {})
            holder = inner if isinstance(inner, dict) else {}
        holder[last] = value
    return made


def _whose(rule: Read) -> dict[str, Any]:
    agents = rule.rules[0]["match"].get("agents", [])
    return {"agent_id": _plain(agents[0])} if agents else {}


def _plain(pattern: str) -> str:
    return pattern.replace("[*]", "*").replace("[?]", "?").replace("[[]", "[")


def _value(atom: Atom) -> Any:
    if atom.op == "==":
        return atom.value
    if atom.op == "in":
        return atom.value[0] if atom.value else None
    if atom.op == "is":
        return "yes" if not name_of(atom.field).startswith("args.") else True
    return atom.value + _BESIDE[atom.op] if atom.op in _BESIDE else None


def _decided(case: dict[str, Any], trial: Trial) -> dict[str, Any]:
    verdict, _ = trial.judge(Case.model_validate({**case, "expect": "deny"}))
    return {**case, "expect": verdict.effect.name}
