"""The schemas that travel, each under one fixed id.

A new version of a schema is a new file `avro/<name>.v<N>.avsc` and a new row of `IDS`; no row is ever
changed or used again. A decision's schema is no file: it is its action's fields followed by its verdict's
(`DECISIONS`), so that a decision's bytes are its action's bytes with the verdict's appended.
"""

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import fastavro

JsonSchema = dict[str, Any]

IDS: dict[int, tuple[str, int]] = {
    101: ("action_event", 1),
    102: ("action_event", 2),
    301: ("threat", 1),
    302: ("threat", 2),
    401: ("incident", 1),
    402: ("incident", 2),
    501: ("checkpoint", 1),
    601: ("dead_letter", 1),
    701: ("progress", 1),
    801: ("intent", 1),
    901: ("control_record", 1),
    1001: ("redriven", 1),
    1201: ("worker_status", 1),
    1101: ("snapshot", 1),
    1301: ("delivery", 1),
    1302: ("delivery", 2),
    1401: ("undelivered", 1),
    1501: ("fold", 1),
    1601: ("incident_order", 1),
    1701: ("correlation", 1),
    1801: ("notification", 1),
    1901: ("alert_state", 1),
}

DECISIONS: dict[int, tuple[int, int]] = {
    201: (1, 1),  # action_event v1, verdict v1
    202: (2, 1),
}


@dataclass(frozen=True)
class Schema:
    """One row of the catalogue: the id in the Confluent prefix, and what the body is."""

    id: int
    name: str
    version: str
    definition: JsonSchema

    @property
    def prefix(self) -> bytes:
        """Confluent's wire format: a zero byte and the id, four bytes big-endian."""
        return b"\x00" + self.id.to_bytes(4, "big")

    @cached_property
    def parsed(self) -> Any:
        """The schema for fastavro, parsed once, without logical types: times are integers, UUIDs strings."""
        return fastavro.parse_schema(without_logical_types(self.definition))

    @cached_property
    def spelled(self) -> JsonSchema:
        """The definition with every named type written out (see `spelled_out`)."""
        spelled: JsonSchema = spelled_out(self.definition, {})
        return spelled


@cache
def read_avsc(name: str, version: int) -> JsonSchema:
    """Read one schema file."""
    text = files("schemas").joinpath("avro", f"{name}.v{version}.avsc").read_text(encoding="utf-8")
    schema: JsonSchema = json.loads(text)
    return schema


def compose_decision(action: JsonSchema, verdict: JsonSchema) -> JsonSchema:
    """Put a verdict's fields behind an action's: the schema of the decision."""
    return {
        "type": "record",
        "name": "Decision",
        "namespace": "praetor",
        "doc": "An action and what was decided of it.",
        "fields": [*action["fields"], *verdict["fields"]],
    }


@cache
def schema(schema_id: int) -> Schema:
    """The schema of an id.

    Raises:
        KeyError: the id is in neither table.
    """
    if schema_id in DECISIONS:
        action, verdict = DECISIONS[schema_id]
        definition = compose_decision(read_avsc("action_event", action), read_avsc("verdict", verdict))
        return Schema(schema_id, "decision", f"{action}.{verdict}", definition)
    name, version = IDS[schema_id]
    return Schema(schema_id, name, str(version), read_avsc(name, version))


def all_schemas() -> list[Schema]:
    """Every schema, by id."""
    return [schema(i) for i in sorted([*IDS, *DECISIONS])]


@cache
def newest(name: str) -> Schema:
    """The newest version of a schema by its name; `decision` too.

    Raises:
        KeyError: no schema has this name.
    """
    found = [s for s in all_schemas() if s.name == name]
    if not found:
        raise KeyError(name)
    return found[-1]


def without_logical_types(definition: Any) -> Any:
    """The same schema with the types that travel only: times are integers, UUIDs strings."""
    if isinstance(definition, dict):
        return {k: without_logical_types(v) for k, v in definition.items() if k != "logicalType"}
    if isinstance(definition, list):
        return [without_logical_types(v) for v in definition]
    return definition


def spelled_out(of: Any, names: dict[str, Any]) -> Any:
    """The same schema with each named type written out wherever Avro lets it be only named.

    For readers that go by a field's type alone; Avro's own parsers refuse a type that is defined twice.

    Args:
        of: a schema.
        names: the named types seen so far; those of `of` are added.
    """
    if isinstance(of, list):
        return [spelled_out(branch, names) for branch in of]
    if not isinstance(of, dict):
        return names.get(of, of)
    inner = {key: spelled_out(of[key], names) for key in ("items", "values") if key in of}
    if "fields" in of:
        inner["fields"] = [{**f, "type": spelled_out(f["type"], names)} for f in of["fields"]]
    spelled = {**of, **inner}
    if "name" in of:
        names[of["name"]] = spelled
    return spelled
