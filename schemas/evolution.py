"""What a new version of a schema may change, so that old readers read new bytes and new readers old ones."""

from typing import Any

UNKNOWN = "unknown"


def mistakes(older: Any, newer: Any) -> list[str]:
    """What breaks the rule between two versions of a record's schema; empty where nothing does.

    The rule: no field is dropped, renamed, re-typed or moved before another old one; a new field has a
    default; an enum only grows, at its end. It is checked in records, unions, arrays and maps.
    """
    return _compare(older, newer, newer["name"])


def odd_enums(definition: Any) -> list[str]:
    """The enums of a schema whose first symbol and default are not `unknown`."""
    if isinstance(definition, list):
        return [name for part in definition for name in odd_enums(part)]
    if not isinstance(definition, dict):
        return []
    found = [name for part in definition.values() for name in odd_enums(part)]
    if definition.get("type") == "enum" and not (
        definition["symbols"][0] == UNKNOWN == definition.get("default")
    ):
        found.append(definition["name"])
    return found


def _compare(old: Any, new: Any, place: str) -> list[str]:
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [m for pair in zip(old, new, strict=True) for m in _compare(*pair, place)]
    kinds = [of["type"] if isinstance(of, dict) else of for of in (old, new)]
    if kinds[0] != kinds[1]:
        return [f"{place}: the type was {kinds[0]} and is {kinds[1]}"]
    match kinds[0]:
        case "record":
            return _compare_fields(old["fields"], new["fields"], place)
        case "enum" if new["symbols"][: len(old["symbols"])] != old["symbols"]:
            return [f"{place}: enum {old['name']} does not begin with its old symbols"]
        case "array":
            return _compare(old["items"], new["items"], f"{place}[]")
        case "map":
            return _compare(old["values"], new["values"], f"{place}{{}}")
        case "fixed" if old["size"] != new["size"]:
            return [f"{place}: the size was {old['size']} and is {new['size']}"]
    if isinstance(old, dict) and old.get("logicalType") != new.get("logicalType"):
        return [f"{place}: the meaning was {old.get('logicalType')} and is {new.get('logicalType')}"]
    return []


def _compare_fields(old: list[Any], new: list[Any], place: str) -> list[str]:
    was = {field["name"]: field for field in old}
    now = {field["name"]: field for field in new}
    added = [field for field in new if field["name"] not in was]
    found = [f"{place}.{f['name']}: a new field needs a default" for f in added if "default" not in f]
    found += [f"{place}.{name}: was dropped" for name in was if name not in now]
    kept = [name for name in now if name in was]
    if kept != [name for name in was if name in now]:
        found.append(f"{place}: old fields changed their order")
    for name in kept:
        found += _compare(was[name]["type"], now[name]["type"], f"{place}.{name}")
        if was[name].get("default", ...) != now[name].get("default", ...):
            found.append(f"{place}.{name}: the default changed")
    return found
