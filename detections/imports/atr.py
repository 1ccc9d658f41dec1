"""Agent Threat Rules (schema 1.0, MIT: github.com/Agent-Threat-Rule/agent-threat-rules) as Sigma rules.

A rule of theirs is a list of expressions on fields of an event, joined by `any` or `all`. Each becomes a
selection on the phase in which we have that text. What has no counterpart is named, never dropped in silence.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from detections.imports.atr_cases import read_cases
from detections.sigma.expression import check_expression

NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")

FIELDS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "tool_response": ("result", ("content",)),
    "tool_description": ("definition", ("content",)),
    "user_input": ("prompt", ("content",)),
    "agent_output": ("result", ("content",)),
    "tool_args": ("call", ("arguments", "args")),
    "tool_name": (None, ("tool",)),
    "content": (None, ("content", "arguments", "args")),
}
"""Of each field of theirs: the phase in which we have it (None: any), and our fields."""
OPERATORS = {"regex": "re|i", "contains": "contains", "exact": "", "starts_with": "startswith"}
"""Both of their engines compile expressions without regard to case."""
LEVELS = ("informational", "low", "medium", "high", "critical")
STATUS = {"stable": "stable", "deprecated": "deprecated"}
"""Others are `experimental` here."""
CARRIED = frozenset(
    {"title", "id", "status", "description", "author", "date", "severity", "references", "detection"}
    | {"test_cases", "schema_version", "rule_version", "modified", "tags", "agent_source", "maturity"}
)
TAGS = (
    ("owasp_agentic", re.compile(r"ASI(\d\d)"), "owasp.asi{}"),
    ("mitre_atlas", re.compile(r"AML\.(T\d{4}(?:\.\d{3})?)"), "atlas.aml.{}"),
    ("mitre_attack", re.compile(r"\b(T\d{4}(?:\.\d{3})?)"), "attack.{}"),
)
_UNICODE = re.compile(r"(?<!\\)((?:\\\\)*)\\u(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{4}))")


class Remark(NamedTuple):
    """Something that was not carried over, or otherwise than it stood.

    Attributes:
        path: where it stands in their rule.
        why: what became of it.
        lost: whether the rule finds less than theirs.
    """

    path: tuple[str | int, ...]
    why: str
    lost: bool


class Imported(NamedTuple):
    """What came of one rule: its document, its cases, what is to be said; no document if nothing is left."""

    name: str
    rule: dict[str, Any] | None
    cases: list[dict[str, Any]]
    remarks: tuple[Remark, ...]


def is_atr(value: Any) -> bool:
    """Whether a document is one of their rules."""
    return isinstance(value, dict) and str(value.get("id", "")).startswith("ATR-") and "detection" in value


def import_atr(value: Mapping[str, Any]) -> Imported:
    """Turn a rule into ours. What it says is taken as it stands: nothing in it is run."""
    name = re.sub(r"[^a-z0-9-]+", "-", str(value["id"]).lower())[:100]
    remarks: list[Remark] = []
    selections = dict(_selections(value, remarks))
    remarks += _left(value)
    if not selections:
        why = "no condition of it can be carried over: the rule is left out"
        remarks.append(Remark(("detection",), why, True))
        return Imported(name, None, [], tuple(remarks))
    joined = _joined(value, selections, remarks)
    if joined is None:
        return Imported(name, None, [], tuple(remarks))
    detection = {**selections, "condition": joined}
    return Imported(name, _document(name, value, detection), list(read_cases(value)), tuple(remarks))


def _selections(value: Mapping[str, Any], remarks: list[Remark]) -> Iterator[tuple[str, Any]]:
    given = value["detection"].get("conditions") if isinstance(value["detection"], dict) else None
    if not isinstance(given, list):
        why = "conditions by name (behaviour, metrics, sequences) are not read; write a correlation"
        remarks.append(Remark(("detection", "conditions"), why, True))
        return
    for i, condition in enumerate(given):
        made = _selection(condition)
        if isinstance(made, str):
            remarks.append(Remark(("detection", "conditions", i), made, True))
        else:
            yield f"c{i}", made


def _selection(condition: Any) -> list[dict[str, str]] | str:
    """The selection, or why there is none."""
    if not isinstance(condition, dict):
        return "it is no condition"
    field, operator, text = str(condition.get("field")), condition.get("operator"), condition.get("value")
    if field not in FIELDS:
        return f"an action has no field {field!r}"
    if operator not in OPERATORS or not isinstance(text, str):
        return f"operator {operator!r} has no counterpart"
    modifier = OPERATORS[operator]
    if operator == "regex":
        text = _UNICODE.sub(lambda m: f"{m[1]}\\x{{{m[2] or m[3]}}}", text.strip())
        wrong = check_expression(text, "i")
        if wrong:
            return wrong
    phase, ours = FIELDS[field]
    head = {"phase": phase} if phase else {}
    return [head | {f"{name}|{modifier}" if modifier else name: text} for name in ours]


def _joined(value: Mapping[str, Any], selections: dict[str, Any], remarks: list[Remark]) -> str | None:
    given = value["detection"]
    said = str(given.get("condition", "any")).strip().lower()
    if said in ("any", "or"):
        return "1 of c*"
    if said not in ("all", "and"):
        remarks.append(Remark(("detection", "condition"), f"condition {said[:60]!r} is not read", True))
        return None
    phases = {FIELDS[c["field"]][0] for c in given["conditions"] if c.get("field") in FIELDS} - {None}
    if len(selections) < len(given["conditions"]) or len(phases) > 1:
        why = "all of its conditions must hold, and not all are there in one action of ours"
        remarks.append(Remark(("detection", "condition"), why, True))
        return None
    return "all of c*"


def _left(value: Mapping[str, Any]) -> Iterator[Remark]:
    for key in sorted(value.keys() - CARRIED - {"response"}):
        yield Remark((key,), "has no counterpart", False)
    if value.get("response"):
        why = "what to do about a finding is said by policies (`detections: [name]`); kept in the runbook"
        yield Remark(("response",), why, False)


def _document(name: str, value: Mapping[str, Any], detection: dict[str, Any]) -> dict[str, Any]:
    given = value["detection"]
    level = str(value.get("severity"))
    actions = (value.get("response") or {}).get("actions") or ()
    document = {
        "title": " ".join(str(value.get("title", name)).split())[:256],
        "name": name,
        "id": str(uuid.uuid5(NAMESPACE, str(value["id"]))),
        "status": STATUS.get(str(value.get("status")), "experimental"),
        "description": " ".join(str(value.get("description", "")).split()),
        "references": ["https://github.com/Agent-Threat-Rule/agent-threat-rules"],
        "author": str(value.get("author", "ATR")),
        "date": str(value.get("date", "2026/01/01")).replace("/", "-"),
        "tags": sorted(set(_tags(value.get("references") or {}))),
        "logsource": {"product": "ai_agent"},
        "detection": detection,
        "falsepositives": [" ".join(str(f).split()) for f in given.get("false_positives") or ()],
        "level": level if level in LEVELS else "medium",
        "runbook": f"Its authors ask for: {', '.join(map(str, actions))}." if actions else "",
    }
    return {key: kept for key, kept in document.items() if kept not in ("", [])}


def _tags(references: Mapping[str, Any]) -> Iterator[str]:
    for key, pattern, form in TAGS:
        for reference in references.get(key) or ():
            found = pattern.search(str(reference))
            if found:
                yield form.format(found[1].lower())
