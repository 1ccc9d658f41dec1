"""Where each field of a record goes in each format, found by changing the field and looking what changes."""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.catalogue import JsonSchema, newest
from sinks.encoding import FORMATS, OCSF, Encoding, Format
from sinks.encoding import TEXTS as TEXT_FIELDS
from sinks.sink import Event, Kind

ACTIONS = ("read:file", "exec:shell", "get:url", "query:database", "call:tool")
"""One of each class of OCSF."""
KINDS: tuple[Kind, ...] = ("decision", "threat", "incident")
HEADS = {
    "cef": ("version", "vendor", "product", "product version", "signature id", "name", "severity"),
    "leef": ("version", "vendor", "product", "product version", "event id", "delimiter"),
}
TEXTS = {
    "outcome": ("ok", "error"),
    "change": ("opened", "resolved"),
    "resource": ("https://a.example/x", "ftp://b.example/y"),
}


def mapping(name: str, version: str = "") -> dict[Kind, dict[str, list[str]]]:
    """By kind and field of the record: the places in the format, in the format's order."""
    made = OCSF[version] if version else FORMATS[name]
    return {kind: _of_kind(name, made, kind) for kind in KINDS}


def _of_kind(name: str, made: Format, kind: Kind) -> dict[str, list[str]]:
    fields = newest(kind).spelled["fields"]
    found: dict[str, list[str]] = {}
    for action in ACTIONS if kind == "decision" else ("",):
        base = {f["name"]: _value(f["type"], f["name"], 0) for f in fields}
        if action:
            base["action"] = action
        for field in fields:
            if field["name"] == "action" and kind != "decision":
                continue
            for place in _moved(name, made, kind, base, field):
                places = found.setdefault(field["name"], [])
                if place not in places:
                    places.append(place)
    return found


def _moved(name: str, made: Format, kind: Kind, base: dict[str, Any], field: JsonSchema) -> Iterator[str]:
    """The places whose values change with one field; those of an absent value count too."""
    before = _places(name, made, kind, base)
    other = _value(field["type"], field["name"], 1)
    if field["name"] == "action":
        other = "delete:" + base["action"].partition(":")[2]  # another verb: the class stays
    changed = base | {field["name"]: other}
    after = _places(name, made, kind, changed)
    for place in before | after:
        if before.get(place) != after.get(place):
            yield place


def _places(name: str, made: Format, kind: Kind, record: dict[str, Any]) -> dict[str, Any]:
    event = Event(kind, "the event's id", b"", "topic", 0, 0, record)
    sent = Encoding(made, frozenset(TEXT_FIELDS))
    document = sent.document(event)
    found = dict(_flat(document, ""))
    if name in HEADS:
        head = sent.line(event).decode().split("|")
        found |= {f"header: {part}": value for part, value in zip(HEADS[name], head, strict=False)}
    return {_named(place, found): value for place, value in found.items() if not place.endswith("Label")}


def _named(place: str, found: Mapping[str, Any]) -> str:
    """CEF's custom fields are told with their labels."""
    label = found.get(f"{place}Label")
    return f"{place} ({label})" if label else place


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        together: dict[str, list[Any]] = {}
        for inner_path, inner in (pair for item in value for pair in _flat(item, f"{path}[]")):
            together.setdefault(inner_path, []).append(inner)
        yield from together.items()
    else:
        yield path, value


def _value(of: Any, name: str, which: int) -> Any:
    """One of two values of an Avro type."""
    if isinstance(of, list):
        return _value(next(t for t in of if t != "null"), name, which)
    if isinstance(of, dict):
        return _complex(of, name, which)
    if of == "string":
        return TEXTS.get(name, (f"{name} a", f"{name} b"))[which]
    if of == "boolean":
        return bool(which)
    if of == "bytes":
        return bytes(16 * [which])
    return (0.25, 0.75)[which] if of in ("double", "float") else (1_000_001, 2_000_002)[which]


def _complex(of: JsonSchema, name: str, which: int) -> Any:
    kind = of["type"]
    if kind == "enum":
        return of["symbols"][1 + which]
    if kind == "array":
        return [_value(of["items"], name, which)]
    if kind == "map":
        return {"key": _value(of["values"], name, which)}
    if kind == "record":
        return {f["name"]: _value(f["type"], f["name"], which) for f in of["fields"]}
    if kind == "fixed":
        return bytes(of["size"] * [which])
    return _value(kind, name, which)
