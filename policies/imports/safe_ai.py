"""SAFE-AI's `policy.yaml`, read as a policy of ours. What each key comes to: docs/policies/imports.md.

The format is that of SAFE-AI Governor 1.0: a mapping of settings, all optional, without apiVersion or kind.
It judges changes to files; the defaults of absent keys are the Governor's own. What a tier means it does not
say: the tiers' meaning here is ours, and none lets an agent do more than the Governor does by itself.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from documents.node import Mistake, Node
from policies.imports.safe_ai_rules import TIERS, pattern_of, too_many, translate
from policies.model import Policy
from policies.paths import PathPattern

DEFAULTS: Mapping[str, Any] = {
    "safe_mode": True,
    "autonomy_tier": "gamma",
    "allow_paths": ("src/", "tests/", "app/"),
    "deny_paths": (".git/", "config/keys/", "/etc/", "/usr/", "secrets/"),
    "max_edit_size_bytes": 65_536,
    "max_total_size_bytes": 524_288,
}
LEFT_OUT = {
    "deny_patterns": "looks for Python regular expressions in the edited text; write a rule with `when`"
    " over the argument that holds the text, as in args.text.matches('rm\\\\s+-rf')",
    "allowed_operations": "names operations within one edit; write a rule over `match: actions`, as in"
    ' ["delete:file"]',
}
_NUMBERS = ("max_edit_size_bytes", "max_total_size_bytes")
_LISTS = ("allow_paths", "deny_paths")


def is_safe_ai(value: Any) -> bool:
    """Whether a document is one of SAFE-AI's: no apiVersion or kind, and at least one of its keys."""
    return (
        isinstance(value, dict)
        and not {"apiVersion", "kind"} & value.keys()
        and any(key in value for key in (*DEFAULTS, *LEFT_OUT))
    )


def read_safe_ai(source: str, node: Node, mistakes: list[Mistake]) -> Policy | None:
    """The policy that a document comes to; None, and every mistake added, where it cannot be read."""
    wrong = list(_check(source, node))
    mistakes += wrong
    if wrong:
        return None
    try:
        return Policy.model_validate(translate({**DEFAULTS, **node.value}))
    except ValidationError as error:
        told = f"this cannot be said as a policy: {error.errors(include_url=False)[0]['msg']}"
        mistakes.append(Mistake(source, node.line, node.column, told))
        return None


def _check(source: str, node: Node) -> Iterator[Mistake]:
    for key, (line, column) in node.keys.items():
        if key in LEFT_OUT:
            told = f"'{key}' {LEFT_OUT[key]}; then remove the key"
            yield Mistake(source, line, column, told)
        elif key not in DEFAULTS:
            near = difflib.get_close_matches(key, DEFAULTS, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"SAFE-AI has {', '.join(DEFAULTS)}"
            yield Mistake(source, line, column, f"unknown key '{key[:80]}'; {hint}")
    for name, child in node.children.items():
        key = str(name)
        if told := _complaint(key, child.value):
            yield Mistake(source, child.line, child.column, told)
        elif key == "allow_paths" and too_many(child.value):
            yield Mistake(source, child.line, child.column, "too many paths; name the folders above them")
        elif key in _LISTS:
            for entry in child.children.values():
                if told := _path_complaint(entry.value):
                    yield Mistake(source, entry.line, entry.column, told)


def _complaint(key: str, value: Any) -> str:
    if key == "safe_mode" and not isinstance(value, bool):
        return "'safe_mode' must be true or false"
    if key == "autonomy_tier" and value not in TIERS:
        return f"unknown tier {str(value)[:40]!r}; write one of: {', '.join(TIERS)}"
    if key in _NUMBERS and (not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**53):
        return f"'{key}' must be a whole number of bytes, 1 or more"
    if key in _LISTS and not isinstance(value, list):
        return f"'{key}' must be a list ('- one' on each line, or [one, two])"
    return ""


def _path_complaint(path: Any) -> str:
    if not isinstance(path, str):
        return "a path must be a text; write it in quotes"
    if "*" in path or "?" in path:
        return f"{path[:80]!r} has a wildcard; SAFE-AI compares folders: write the folder"
    try:
        PathPattern.parse(pattern_of(path))
    except ValueError as error:
        return str(error)
    return ""
