"""OCSF as its own official schema has it, for every kind of event."""

import json
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from consumers.delivery.events import event_of
from schemas.catalogue import newest, schema
from schemas.codec import decode_body, encode_body
from schemas.topics import DECISIONS, INCIDENTS
from sinks.formats import cef, ecs, leef, ocsf
from sinks.formats.ocsf_classes import CLASSES
from sinks.formats.ocsf_objects import SEVERITIES, VERSION
from sinks.sink import Event
from tests.sinks.helpers import decision

VERBS = ("read", "write", "create", "delete", "exec", "query", "get", "post", "call", "delegate", "odd")
EFFECTS = ("allow", "deny", "modify", "require_approval", "defer", "unknown")


@cache
def validator(class_uid: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(VERSION))
    name = schemas.lookup_class_name_from_uid(class_uid)
    return Draft202012Validator(schemas.get_class_schema(name, list(profiles)))


def mistakes(made: dict[str, Any]) -> list[str]:
    known = validator(made["class_uid"], tuple(made["metadata"]["profiles"]))
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in known.iter_errors(made)]


def event(**fields: Any) -> Event:
    of = newest("decision")
    record = decode_body(of, encode_body(of, decision(7, "log", **fields)))
    return Event("decision", "log/0/7", b"k", DECISIONS.name, 0, 9, record)


@pytest.mark.parametrize("noun", [*CLASSES, "tool", "model", "agent", ""])
@pytest.mark.parametrize("verb", VERBS)
def test_every_kind_of_action(verb: str, noun: str) -> None:
    made = ocsf.document(event(action=f"{verb}:{noun}", resource="/a/b c", trace_id="0" * 31 + "1"))
    assert mistakes(made) == []
    assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("mode", ["enforce", "shadow"])
def test_every_effect(effect: str, mode: str) -> None:
    made = ocsf.document(event(effect=effect, policy_mode=mode))
    assert mistakes(made) == []
    if mode == "shadow":
        assert (made["action_id"], made["disposition_id"]) == (3, 17)


@pytest.mark.parametrize("resource", ["", "https://[broken", "https://a.example/x?y", "C:\\x\\y", "🦊" * 500])
@pytest.mark.parametrize("noun", ["file", "url", "shell", "table", "tool"])
def test_odd_resources(noun: str, resource: str) -> None:
    assert mistakes(ocsf.document(event(action=f"read:{noun}", resource=resource))) == []


def test_a_line_is_one_line_of_json() -> None:
    made = ocsf.line(event(resource="a\nb", arguments="line\nline"))
    assert b"\n" not in made
    assert json.loads(made)["metadata"]["uid"] == "log/0/7"


THREAT = {
    "log_id": "log",
    "partition": 0,
    "source_offset": 3,
    "seq": 2,
    "received_at": 1_780_000_000_000,
    "tenant": "acme",
    "agent_id": "a",
    "session_id": None,
    "detector": "denial-burst",
    "title": "Burst of denied actions",
    "severity": "high",
    "score": 0.97,
    "evidence": ["00000000-0000-0000-0000-000000000001"],
    "first_at": 1_780_000_000_000,
    "last_at": 1_780_000_000_500,
    "tags": ["ASI10", "AML.T0053"],
    "dedup_key": "denial-burst/acme/a/1",
    "bundle": "sha256:0",
    "message": "5 actions were denied",
}


@pytest.mark.parametrize("severity", SEVERITIES)
def test_threats(severity: str) -> None:
    made = ocsf.document(
        Event("threat", "log/threat/0/3", b"k", "agent.threats", 0, 3, THREAT | {"severity": severity})
    )
    assert mistakes(made) == []
    assert made["finding_info"]["attacks"][0]["technique"]["uid"] == "AML.T0053"


INCIDENT = {
    "log_id": "log",
    "incident_id": "inc-1",
    "group_key": "user/alice",
    "status": "open",
    "severity": "critical",
    "title": "Alice's agents leak keys",
    "opened_at": 1_780_000_000_000,
    "updated_at": 1_780_000_000_900,
    "members": ["denial-burst/acme/a/1"],
    "response": "quarantined acme/a",
}
GROWN = INCIDENT | {
    "revision": 3,
    "change": "responded",
    "tenant": "acme",
    "group_by": "user",
    "agents": ["a", "b"],
    "detectors": [{"detector": "secrets", "title": "A key went out", "severity": "high", "count": 2}],
    "threat_count": 2,
    "evidence": ["00000000-0000-0000-0000-000000000001"],
    "responses": [
        {
            "kind": "quarantine",
            "target": "acme/a",
            "at": 1_780_000_000_900,
            "dry_run": False,
            "control_offset": 7,
            "reason": "contain",
        }
    ],
    "story": "2 agents of alice raised 2 threats within 0.9 s.",
}


def incident(schema_id: int, **fields: Any) -> Event:
    """An incident as it travels in one version of its schema."""
    of = schema(schema_id)
    known = {field["name"] for field in of.definition["fields"]}
    value = encode_body(of, {k: v for k, v in (GROWN | fields).items() if k in known})
    consumed = SimpleNamespace(
        topic=INCIDENTS.name, partition=0, offset=1, key=b"inc-1", value=of.prefix + value
    )
    return event_of(consumed)


@pytest.mark.parametrize("schema_id", [401, 402])
@pytest.mark.parametrize("status", ["unknown", "open", "acknowledged", "resolved"])
def test_incidents(status: str, schema_id: int) -> None:
    assert mistakes(ocsf.document(incident(schema_id, status=status))) == []


@pytest.mark.parametrize("format_line", [cef.line, ecs.line, leef.line, ocsf.line])
def test_every_format_tells_an_incident_of_either_version(format_line: Callable[[Event], bytes]) -> None:
    assert b"leak keys" in format_line(incident(401))
    assert b"2 agents of alice raised 2 threats within 0.9 s." in format_line(incident(402))
