"""Policies of Microsoft's agent-governance-toolkit (`governance.toolkit/v1`) as policies of ours.

The format is that of the toolkit's engines, agentmesh.governance.policy (Python) and AgentGovernance.Policy
(.NET).
What each part comes to, and what does not: docs/policies/imports.md.
"""

import difflib
from typing import Any

from documents.node import Mistake, Node
from policies.cases import Trial
from policies.imports.agt_cases import make_cases
from policies.imports.agt_cel import literal
from policies.imports.agt_rules import Rules, read_rules
from policies.imports.remarks import Imported, Remark, Unusable, line_of, slug
from policies.load import Loaded
from policies.model import API_VERSION, Policy
from policies.resolve import NO_NAMES
from policies.signals import AS_BEFORE

VERSION = "governance.toolkit/v1"
KEYS = (
    *("apiVersion", "version", "name", "description", "extends", "agent", "agents", "scope"),
    *("rules", "default_action", "created_at", "updated_at"),
)


def is_agt(value: Any) -> bool:
    """Whether a document says that it is one of the toolkit's."""
    return isinstance(value, dict) and value.get("apiVersion") == VERSION


def import_agt(source: str, node: Node) -> Imported:
    """The policy that a document comes to, and everything that is not in it.

    Raises:
        Unusable: it is no policy of the toolkit's, or none of its rules can be carried over.
    """
    value = node.value
    if not isinstance(value, dict) or not isinstance(value.get("rules"), list):
        raise Unusable(Mistake(source, node.line, node.column, f"no policy of {VERSION}: it has no 'rules'"))
    if value.get("apiVersion", VERSION) not in (VERSION, "1.0"):
        line, column = node.keys["apiVersion"]
        told = f"apiVersion {str(value['apiVersion'])[:80]!r} is not {VERSION}"
        raise Unusable(Mistake(source, line, column, told))
    rules = read_rules(node, _agents(value))
    remarks = [*_document_remarks(node), *rules.remarks]
    made = [rule for read in rules.read for rule in read.rules]
    if value.get("default_action", "deny") == "allow":
        made.append(_default(value, rules))
    if not made:
        told = "nothing of it can be carried over: " + "; ".join(f"{r.what}: {r.why}" for r in remarks)
        raise Unusable(Mistake(source, node.line, node.column, told))
    document = _document(value, made)
    document["cases"] = make_cases(rules.read, _trial(document))
    if all(case["expect"] == "deny" for case in document["cases"]):
        told = "nothing in this policy allows, so no case can: add one that another policy of yours allows"
        remarks.append(Remark(node.line, "cases", told))
    return Imported(document, tuple(sorted(remarks)))


def _agents(value: dict[str, Any]) -> list[str]:
    listed = value.get("agents") or []
    named = [value.get("agent"), *(listed if isinstance(listed, list) else [listed])]
    agents = [str(name) for name in named if name]
    return [] if "*" in agents else [literal(name) for name in dict.fromkeys(agents)]


def _document_remarks(node: Node) -> list[Remark]:
    value = node.value
    remarks = []
    for key, (line, _) in node.keys.items():
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            remarks.append(
                Remark(line, f"key {key}", f"the toolkit has no such key and passes over it{hint}")
            )
    if value.get("extends"):
        told = (
            "import the policies it extends too: in one bundle their rules stand beside these, and no denial"
            " of theirs is weakened"
        )
        remarks.append(Remark(line_of(node, "extends"), "extends", told))
    if value.get("scope", "global") != "global":
        told = "rules of all policies are equal here, whatever their scope; the strongest effect wins"
        remarks.append(Remark(line_of(node, "scope"), "scope", told))
    if value.get("default_action", "deny") not in ("allow", "deny"):
        told = "the default is deny here; write a rule for another"
        remarks.append(Remark(line_of(node, "default_action"), "default_action", told))
    if value.get("default_action") == "allow":
        told = "a rule default-allow: in a bundle it allows whatever no rule of any policy stops"
        remarks.append(Remark(line_of(node, "default_action"), "default_action", told, lost=False))
    if not value.get("agent") and not value.get("agents"):
        told = "read as for all agents, as the toolkit does in .NET (in Python it is for none)"
        remarks.append(Remark(node.line, "no agents", told, lost=False))
    return remarks


def _default(value: dict[str, Any], rules: Rules) -> dict[str, Any]:
    agents = _agents(value)
    return {
        "id": slug("default-allow", rules.taken),
        "effect": "allow",
        "priority": -1000,
        "match": {"agents": agents} if agents else {},
        "message": "no rule of this policy stops it, and its default is to allow",
    }


def _document(value: dict[str, Any], made: list[dict[str, Any]]) -> dict[str, Any]:
    told = " ".join(str(value.get("description") or "A policy of the agent-governance-toolkit.").split())
    return {
        "apiVersion": API_VERSION,
        "kind": "Policy",
        "metadata": {"name": slug(str(value.get("name") or "imported"), set()), "description": told[:2000]},
        "rules": made,
    }


def _trial(document: dict[str, Any]) -> Trial:
    """The policy ready to try its cases on; it has none yet."""
    unused = [{"name": e, "expect": e, "action": {"action": "x"}} for e in ("allow", "deny")]
    policy = Policy.model_validate({**document, "cases": unused})
    return Trial(Loaded((policy,), AS_BEFORE, {}, NO_NAMES))
