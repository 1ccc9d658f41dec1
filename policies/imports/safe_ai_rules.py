"""The rules and cases that SAFE-AI's settings come to. The settings are checked and complete."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policies.cel import LONGEST
from policies.model import API_VERSION
from policies.paths import path_touches

NAME = "safe-ai"
TIERS = ("alpha", "beta", "gamma")
LOOK = ["read:file", "list:file"]
EDIT = ["write:file", "edit:file", "create:file", "append:file"]
DELETE = ["delete:file"]
MOVE = ["move:file", "rename:file", "copy:file", "link:file"]
"""Their destination is no resource, so no path can be compared: always for a person to approve."""


def pattern_of(path: str) -> str:
    """One path of SAFE-AI's as a pattern of ours."""
    plain = path.removeprefix("./").rstrip("/")
    return plain or ("/" if path.startswith("/") else ".")


def _allowing(path: str) -> list[str]:
    """Where an allowed path lies: in the working folder, and in the workspace, which is the same folder."""
    pattern = pattern_of(path)
    if pattern.startswith(("/", "~")) or pattern[1:2] == ":":
        return [pattern]
    return [pattern, "/workspace" if pattern == "." else f"/workspace/{pattern}"]


def _denying(path: str) -> list[str]:
    """Where a denied path lies: wherever a folder is called so; where absolute paths begin is not known."""
    pattern = pattern_of(path)
    if pattern == ".":
        return ["/"]
    return [pattern] if pattern.startswith(("/", "~")) or pattern[1:2] == ":" else [f"**/{pattern}"]


def _allowed(paths: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(p for path in paths for p in _allowing(path))) or ["/"]


def translate(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The document of the policy that checked settings come to."""
    value = settings
    allowed = _allowed(value["allow_paths"])
    denied = list(dict.fromkeys(p for path in value["deny_paths"] for p in _denying(path)))
    rules = [*_edits(value, allowed), *_beyond(value, allowed, denied), *_sizes(value)]
    return {
        "apiVersion": API_VERSION,
        "kind": "Policy",
        "metadata": {
            "name": NAME,
            "description": "SAFE-AI's policy.yaml: changes to files, by path and size.",
        },
        "rules": rules,
        "cases": _cases(value, allowed, denied),
    }


def _rule(name: str, effect: str, match: Mapping[str, Any], message: str, **more: Any) -> dict[str, Any]:
    graded = {} if effect == "allow" else {"severity": "medium", "tags": ["ASI02"]}
    return {"id": name, "effect": effect, "match": dict(match), "message": message, **graded, **more}


def _edits(value: Mapping[str, Any], allowed: list[str]) -> Iterator[dict[str, Any]]:
    tier = value["autonomy_tier"]
    where = {"paths": allowed}
    yield _rule("look", "allow", {"actions": LOOK, **where}, "what may be changed may be read")
    alone, asked = {
        "alpha": ([], [*EDIT, *DELETE]),
        "beta": (EDIT, DELETE),
        "gamma": ([*EDIT, *DELETE], []),
    }[tier]
    if alone:
        told = f"the tier {tier} makes these changes within allow_paths by itself"
        yield _rule("edit", "allow", {"actions": alone, **where}, told)
    asked_all = [*asked, *MOVE]
    told = f"this change needs a person's approval in the tier {tier}"
    yield _rule("edit-asks", "require_approval", {"actions": asked_all}, told)
    told = "running something needs a person's approval"
    yield _rule("run-asks", "require_approval", {"actions": ["exec:*"]}, told)


def _beyond(value: Mapping[str, Any], allowed: list[str], denied: list[str]) -> Iterator[dict[str, Any]]:
    if allowed != ["/"]:
        effect = "deny" if value["safe_mode"] else "require_approval"
        told = "changes are made within allow_paths" + ("" if value["safe_mode"] else ", or approved")
        match = {"actions": [*EDIT, *DELETE, *MOVE]}
        yield _rule("outside-allow-paths", effect, match, told, when=_outside(allowed))
    if denied:
        told = "nothing within deny_paths is read or changed"
        match = {"actions": ["*:file"], "paths": denied}
        yield _rule("deny-paths", "deny", match, told) | {"severity": "high"}


def _outside(allowed: Sequence[str]) -> str:
    """The condition that a path lies in none of these."""
    return " && ".join(f"!path_inside(action.resource, {_quote(pattern)})" for pattern in allowed)


def too_many(paths: Sequence[Any]) -> bool:
    """Whether the condition about these paths would be longer than a condition may be."""
    return len(_outside(_allowed([p for p in paths if isinstance(p, str)]))) > LONGEST


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _sizes(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    most = value["max_edit_size_bytes"]
    match = {"actions": [*EDIT, *MOVE], "fields": {"size_bytes": {"gt": float(most)}}}
    yield _rule("edit-size", "deny", match, f"one edit has at most {most} bytes")
    total = value["max_total_size_bytes"]
    limit = {"bytes": float(total), "per": "session", "window": "1d"}
    told = f"the edits of a session have at most {total} bytes within a day"
    yield _rule("total-size", "deny", {"actions": [*EDIT, *MOVE]}, told, limit=limit)


def _cases(value: Mapping[str, Any], allowed: list[str], denied: list[str]) -> list[dict[str, Any]]:
    inside = _example(allowed, denied)
    tier = value["autonomy_tier"]
    edit = "require_approval" if tier == "alpha" else "allow"
    deleting = "allow" if tier == "gamma" else "require_approval"
    cases = [
        _case("looking", "read:file", inside, "allow"),
        _case("editing", "write:file", inside, edit),
        _case("deleting", "delete:file", inside, deleting),
        _case("too large an edit", "write:file", inside, "deny", value["max_edit_size_bytes"] + 1),
    ]
    cases.append(_case("running the tests", "exec:shell", "pytest -q", "require_approval"))
    if allowed != ["/"]:
        outside = "deny" if value["safe_mode"] else "require_approval"
        cases.append(_case("editing elsewhere", "write:file", "/srv/elsewhere/a.txt", outside))
    cases += [
        _case(f"reaching into {p}", "read:file", f"{p.removeprefix('**/').rstrip('/')}/a.txt", "deny")
        for p in denied[:5]
    ]
    return cases


def _example(allowed: list[str], denied: list[str]) -> str:
    """A file that may be changed; one in the first allowed path where all of them are denied."""
    files = ["a.txt" if p == "." else f"{p.rstrip('/')}/a.txt" for p in allowed]
    free = (f for f in files if not any(path_touches(f, p) for p in denied))
    return next(free, files[0])


def _case(name: str, action: str, resource: str, expect: str, size: int = 0) -> dict[str, Any]:
    done: dict[str, Any] = {"action": action, "resource": resource}
    if size:
        done["size_bytes"] = size
    return {"name": name, "action": done, "expect": expect}
