"""What pydantic found, in words that say what to do."""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from documents.types import KEY, OTHER_BRANCH, TEXT_BRANCH

Path = tuple[str | int, ...]
Parts = Mapping[Path, type[BaseModel]]
"""Which model stands where in a document, by its path without the numbers of list entries; at the empty
path, where there is one, the document itself."""

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list ('- one' on each line, or [one, two])",
    "dict_type": "a mapping ('key: value' lines)",
    "model_type": "a mapping ('key: value' lines)",
    "bool_type": "true or false",
}


class Wording:
    """How mistakes of some kinds of documents are told."""

    def __init__(self, parts: Parts, top: tuple[str, ...]) -> None:
        """Take the models by their place, and the keys that a document may begin with."""
        self._parts = parts
        self._top = top

    def describe(self, path: Path, error: Mapping[str, Any]) -> str:
        """Say what is wrong at a path of a document, and how to mend it."""
        path = tuple(step for step in path if step not in (TEXT_BRANCH, OTHER_BRANCH))
        kind, value, context = error["type"], error["input"], error.get("ctx", {})
        if kind == "extra_forbidden":
            return self._unknown_key(path)
        if kind == "missing":
            return f"missing key '{path[-1]}'; add it"
        if kind in _EXPECTED:
            quoted = kind == "string_type" and not isinstance(value, list | dict)
            hint = "; write it in quotes" if quoted else ""
            return f"'{_name(path)}' must be {_EXPECTED[kind]}, not {show(value)}{hint}"
        if kind == "literal_error":
            return f"'{_name(path)}' must be {context['expected']}, not {show(value)}"
        if path[-1:] == (KEY,) and kind == "string_pattern_mismatch":
            return f"the name {show(value)} must fit {context['pattern']}"
        if kind == "string_pattern_mismatch":
            return f"'{_name(path)}' is {show(value)}; it must fit {context['pattern']}"
        if kind in ("pattern", "empty", "reserved", "surrogate"):
            return str(error["msg"])
        return _bounds(path, error)

    def _unknown_key(self, path: Path) -> str:
        parent = tuple(step for step in path[:-1] if isinstance(step, str))
        shape = self._parts.get(parent)
        names = [f.alias or name for name, f in shape.model_fields.items()] if shape else list(self._top)
        key = str(path[-1])
        near = difflib.get_close_matches(key, names, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known here: {', '.join(names)}"
        return f"unknown key {show(key)}; {hint}"


def _bounds(path: Path, error: Mapping[str, Any]) -> str:
    """A value of the right kind that is too long, too small, and the like."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    said = str(error["msg"]).partition(" should ")[2] or str(error["msg"])
    if kind == "too_long" and isinstance(value, str):  # its own words speak of items
        return f"'{_name(path)}' has {len(value)} characters; at most {context['max_length']} are allowed"
    if kind in ("too_short", "too_long"):  # its own words end in ", not 0"
        return f"'{_name(path)}' should {said.removesuffix(f', not {len(value)}')}"
    return f"'{_name(path)}' should {said}, not {show(value)}"


def _name(path: Path) -> str:
    """The last key of a path; a list's entry is called by its list."""
    return next((step for step in reversed(path) if isinstance(step, str)), "document")


def show(value: Any) -> str:
    """A value as it may be shown: short, and told by its kind when it is large."""
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:80] + "..."
