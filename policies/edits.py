"""What a rule with the effect modify does to arguments: declared edits, one after the other.

A place is a path of keys (`payment.amount`); `*` stands for every entry of a list or mapping
(`rows.*.email`). Before and after are both in the decision: `arguments` and `modified_arguments`.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from documents.types import Model, Text
from policies.canonical import LARGEST
from policies.errors import Unjudgeable
from policies.types import Number

REDACTED = "[redacted]"
_text = TypeAdapter(Text).validate_python

Place = Annotated[Text, Field(pattern=r"^[^.\s]+(\.[^.\s]+)*$", max_length=500)]


def _check_plain(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) <= LARGEST):
        return value
    raise PydanticCustomError("empty", "a value is a text, a number, true or false")


class Edit(Model):
    """One edit. `redact` and `remove` pass over what is not there; `clamp` and `replace` fail."""

    redact: Place | None = None
    remove: Place | None = None
    clamp: Place | None = None
    min: Number | None = None
    max: Number | None = None
    replace: Place | None = None
    value: Annotated[Any, AfterValidator(_check_plain)] = None

    @model_validator(mode="after")
    def _one(self) -> "Edit":
        given = [n for n in ("redact", "remove", "clamp", "replace") if getattr(self, n) is not None]
        if len(given) != 1:
            raise PydanticCustomError("empty", "an edit is one of: redact, remove, clamp, replace")
        if (self.min is not None or self.max is not None) != (given == ["clamp"]):
            raise PydanticCustomError("empty", "clamp goes with min, max or both, and they with clamp")
        if (self.value is not None) != (given == ["replace"]):
            raise PydanticCustomError("empty", "replace goes with value, and value with replace")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise PydanticCustomError("empty", "min is above max")
        return self


def apply_edits(edits: Sequence[Edit], arguments: dict[str, Any]) -> str:
    """Edit arguments; the JSON text of what comes out. The arguments given are changed.

    Raises:
        Unjudgeable: a place to clamp or replace is not there, or holds no number to clamp.
    """
    for edit in edits:
        _apply(edit, arguments)
    return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _apply(edit: Edit, arguments: dict[str, Any]) -> None:
    place = edit.redact or edit.remove or edit.clamp or edit.replace or ""
    found = list(_find(arguments, place.split(".")))
    if not found and (edit.clamp or edit.replace):
        raise Unjudgeable(f"the arguments have no {place}, which is to be changed")
    for holder, key in reversed(found):  # so that removing an entry moves none still to come
        if edit.redact:
            holder[key] = REDACTED
        elif edit.remove:
            del holder[key]
        elif edit.replace:
            holder[key] = edit.value
        else:
            holder[key] = _clamp(edit, place, holder[key])


def _clamp(edit: Edit, place: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unjudgeable(f"{place} is no number, which is to be clamped")
    if edit.max is not None and value > edit.max:
        return _plain(edit.max)
    return _plain(edit.min) if edit.min is not None and value < edit.min else value


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number


def _find(value: Any, steps: list[str]) -> Iterator[tuple[Any, Any]]:
    """The holders and keys that a place stands for."""
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        keys: list[Any] = list(value) if step == "*" else [step] if step in value else []
    elif isinstance(value, list):
        keys = list(range(len(value))) if step == "*" else _number(step, len(value))
    else:
        return
    for key in keys:
        if rest:
            yield from _find(value[key], rest)
        else:
            yield value, key


def _number(step: str, length: int) -> list[int]:
    return [int(step)] if step.isascii() and step.isdigit() and len(step) < 9 and int(step) < length else []
