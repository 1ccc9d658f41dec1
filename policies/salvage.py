"""What can still be read of a document with mistakes: so that the rest of it is looked over in the same run.

What is wrong is taken out, and what must be there is stood in for. Nobody is judged by the result: its
document is refused whatever else is found. Stand-ins are such that they add no mistake of their own.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, ValidationError

from documents.types import KEY, OTHER_BRANCH, TEXT_BRANCH

ROUNDS = 8
"""How often it is tried: what is taken out of a part may leave the part wanting, and so on outwards."""
MOST_MENDED = 10_000
"""With more mistakes than these nobody waits for those that they hide."""

_Path = tuple[str | int, ...]
_STOOD_IN: Mapping[str, Any] = {
    "apiVersion": "praetor/v1",
    "description": "?",
    "effect": "deny",
    "match": {},
    "message": "?",
    "expect": "deny",
    "action": "?",
    "lists": {"stood_in": ["?"]},
    "conditions": {"stood_in": "true"},
}
_BOTH_WAYS = tuple(
    {"name": f"? {word}", "action": {"action": "?"}, "expect": word} for word in ("allow", "deny")
)


def salvage(shape: type[BaseModel], document: Mapping[str, Any], number: int) -> BaseModel | None:
    """A model of what is right in a document, `number` its own among all; None where too much is wrong."""
    value: dict[str, Any] = deepcopy(dict(document))
    for _ in range(ROUNDS):
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            if error.error_count() > MOST_MENDED:
                return None
            raised = error.errors(include_url=False, include_input=False)
            found = sorted({(_plain(each["loc"]), each["type"]) for each in raised}, reverse=True)
            for path, kind in found:  # a list's entries from its end, so that they keep their places
                _mend(value, path, kind, number)
            _pad(value, [path for path, _ in found])
    return None


def _plain(path: Iterable[str | int]) -> _Path:
    return tuple(step for step in path if step not in (TEXT_BRANCH, OTHER_BRANCH))


def _mend(value: dict[str, Any], path: _Path, kind: str, number: int) -> None:
    """Take out what is wrong at a path, or put in what is missing there."""
    if path[-1:] == (KEY,):
        path, kind = path[:-1], "extra_forbidden"
    if not path:
        value.pop("without", None)
        value.setdefault("rules", []).append(
            {"id": f"stood-in-{number}", **_required("effect", "match", "message")}
        )
        return
    holder, last = _walk(value, path[:-1]), path[-1]
    if isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        _mend_entry(holder, last, path)
    elif isinstance(holder, dict):
        if kind == "missing":
            holder[str(last)] = _stand_in(path, number)
        elif path[0] in ("lists", "conditions") and len(path) == 2 and kind != "extra_forbidden":
            holder[str(last)] = ["?"] if path[0] == "lists" else "true"
        else:
            holder.pop(str(last), None)


def _mend_entry(holder: list[Any], place: int, path: _Path) -> None:
    """Rules and cases keep their places; of other lists an entry goes."""
    if len(path) != 2 or path[0] not in ("rules", "cases"):
        del holder[place]
    elif isinstance(holder[place], dict):  # its keys do not fit together
        holder[place]["effect"] = "deny"
        holder[place].pop("modify", None)
    else:
        holder[place] = {}


def _walk(value: Any, path: _Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _stand_in(path: _Path, number: int) -> Any:
    """What is put where a key is missing; names are such as nobody else has."""
    key = str(path[-1])
    if key == "metadata":
        return {"name": f"stood-in-{number}", **_required("description")}
    if key == "cases":
        return []
    if key in ("name", "id"):
        return "-".join(["stood-in", str(number), *(str(step) for step in path if isinstance(step, int))])
    if path[0] == "cases" and key == "action" and len(path) == 3:
        return _required("action")
    return deepcopy(_STOOD_IN.get(key, "?"))


def _required(*keys: str) -> dict[str, Any]:
    return {key: deepcopy(_STOOD_IN[key]) for key in keys}


def _pad(value: dict[str, Any], paths: list[_Path]) -> None:
    """Where a case is wrong, nothing is said of what the others lack; nor of rules that lost their ids."""
    cases = value.get("cases")
    if not isinstance(cases, list):
        return
    if any(path[:1] == ("cases",) for path in paths) and _BOTH_WAYS[0] not in cases:
        cases += deepcopy(_BOTH_WAYS)
    if any(path[:1] == ("rules",) and path[2:] == ("id",) for path in paths):
        for case in cases:
            if isinstance(case, dict):
                case.pop("rule", None)
