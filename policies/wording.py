"""What pydantic found, in words that say what to do."""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from policies.case import Case, CaseAction, CaseState
from policies.edits import Edit
from policies.model import (
    Conditions,
    DenialBurst,
    Detections,
    DetectionSettings,
    Lists,
    Metadata,
    Policy,
)
from policies.rule import Comparisons, Fields, Limit, Match, Rule
from policies.types import OTHER_BRANCH, TEXT_BRANCH, ListRef

Path = tuple[str | int, ...]

SHAPES: dict[str, type[BaseModel]] = {
    "Policy": Policy,
    "Lists": Lists,
    "Conditions": Conditions,
    "Detections": Detections,
}

_PARTS: dict[Path, type[BaseModel]] = {
    ("metadata",): Metadata,
    ("rules",): Rule,
    ("rules", "match"): Match,
    **{("rules", "match", key): ListRef for key in Match.model_fields},
    ("rules", "match", "fields"): Fields,
    **{("rules", "match", "fields", field): Comparisons for field in Fields.model_fields},
    ("rules", "limit"): Limit,
    ("rules", "modify"): Edit,
    ("cases",): Case,
    ("cases", "action"): CaseAction,
    ("cases", "agent"): CaseState,
    ("cases", "session"): CaseState,
    ("detections",): DetectionSettings,
    ("detections", "denial-burst"): DenialBurst,
}

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list ('- one' on each line, or [one, two])",
    "dict_type": "a mapping ('key: value' lines)",
    "model_type": "a mapping ('key: value' lines)",
    "bool_type": "true or false",
}


def describe(path: Path, error: Mapping[str, Any]) -> str:
    """Say what is wrong at a path of a document, and how to mend it."""
    path = tuple(step for step in path if step not in (TEXT_BRANCH, OTHER_BRANCH))
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "missing":
        return f"missing key '{path[-1]}'; add it"
    if kind in _EXPECTED:
        quote = "; write it in quotes" if kind == "string_type" and not isinstance(value, list | dict) else ""
        return f"'{_name(path)}' must be {_EXPECTED[kind]}, not {_show(value)}{quote}"
    if kind == "literal_error":
        return f"'{_name(path)}' must be {context['expected']}, not {_show(value)}"
    if kind == "string_pattern_mismatch":
        return f"'{_name(path)}' is {_show(value)}; it must fit {context['pattern']}"
    if kind in ("pattern", "empty", "reserved", "surrogate"):
        return str(error["msg"])
    said = str(error["msg"]).partition(" should ")[2] or str(error["msg"])
    if kind == "too_long" and isinstance(value, str):  # its own words speak of items
        return f"'{_name(path)}' has {len(value)} characters; at most {context['max_length']} are allowed"
    if kind in ("too_short", "too_long"):  # its own words end in ", not 0"
        return f"'{_name(path)}' should {said.removesuffix(f', not {len(value)}')}"
    return f"'{_name(path)}' should {said}, not {_show(value)}"


def _name(path: Path) -> str:
    """The last key of a path; a list's entry is called by its list."""
    return next((step for step in reversed(path) if isinstance(step, str)), "document")


def _unknown_key(path: Path) -> str:
    parent = tuple(step for step in path[:-1] if isinstance(step, str))
    shape = _PARTS.get(parent)
    names = [f.alias or name for name, f in shape.model_fields.items()] if shape else _top()
    key = str(path[-1])
    near = difflib.get_close_matches(key, names, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(names)}"
    return f"unknown key {_show(key)}; {hint}"


def _top() -> list[str]:
    return list(dict.fromkeys(name for shape in SHAPES.values() for name in shape.model_fields))


def _show(value: Any) -> str:
    """A value as it may be shown: short, and told by its kind when it is large."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:80] + "..."
