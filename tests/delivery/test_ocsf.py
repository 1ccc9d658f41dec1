"""OCSF as its own official schema has it, for every kind of event."""

import json
import os
from collections.abc import Iterator
from functools import cache
from itertools import cycle, product
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from sinks.formats import ocsf, ocsf_agents
from sinks.formats.ocsf_classes import CLASSES
from sinks.formats.ocsf_findings import CHANGES
from sinks.formats.ocsf_objects import SEVERITIES, VERSION
from sinks.sink import Event
from tests.delivery.making_all import decided, incident, old_incident, threatened

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


@cache
def newer(class_uid: int, profiles: tuple[str, ...]) -> Draft202012Validator:
    """Of 1.9: compiled from its sources by OCSF's own compiler; no package has it yet.

    `python -m ocsf_schema_compiler ocsf-schema > FILE` writes the file that OCSF_SCHEMA names.
    """
    schemas = OcsfJsonSchemaEmbedded(json.loads(Path(os.environ["OCSF_SCHEMA"]).read_text()))
    name = schemas.lookup_class_name_from_uid(class_uid)
    return Draft202012Validator(schemas.get_class_schema(name, list(profiles)))


def events() -> Iterator[Event]:
    """Every kind of event, with and without what may be absent."""
    full = {"model": "m", "input_tokens": 5, "on_behalf_of": "bob", "principal": "p", "outcome": "ok"}
    bare = {"session_id": None}
    nouns = (*CLASSES, "tool", "model", "agent", "")
    for (verb, noun), fields in zip(product(VERBS, nouns), cycle(({}, full, bare, {})), strict=False):
        yield decided(action=f"{verb}:{noun}", resource="/a/b c", trace_id="0" * 31 + "1", **fields)
    for effect in EFFECTS:
        yield from (decided(effect=effect, policy_mode=mode) for mode in ("enforce", "shadow"))
    for severity in SEVERITIES:
        yield from (threatened(severity=severity), threatened(severity=severity, session_id=None, runbook=""))
    for status in ("unknown", "open", "acknowledged", "resolved"):
        yield from (incident(status=status, agents=[]), incident(status=status, change="", resolved_at=5))
        yield old_incident(status=status)
    for change in CHANGES:
        yield incident(change=change)


def test_every_kind_of_event() -> None:
    for made in map(ocsf.document, events()):
        assert mistakes(made) == []
        assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]


@pytest.mark.interop
@pytest.mark.skipif("OCSF_SCHEMA" not in os.environ, reason="OCSF_SCHEMA names no compiled schema of 1.9")
def test_every_kind_of_event_in_1_9() -> None:
    for made in map(ocsf_agents.document, events()):
        known = newer(made["class_uid"], tuple(made["metadata"]["profiles"]))
        assert [error.message[:200] for error in known.iter_errors(made)] == []


def test_1_9_says_which_agent_it_was() -> None:
    made = ocsf_agents.document(decided(action="exec:shell", model="m", on_behalf_of="bob"))
    assert made["metadata"]["version"] == "1.9.0"
    assert "ai_operation" in made["metadata"]["profiles"]
    model = {"name": "m", "ai_provider": "Unknown"}
    agent = {"uid": "agent-0", "name": "agent-0", "type_id": 0, "type": "Unknown", "instance_uid": "s1"}
    assert made["ai_agent"] == {**agent, "ai_model": model}
    assert "ai_model" not in made
    assert made["actor"] == {"session": {"uid": "s1"}, "user": {"name": "bob", "type_id": 0}}
    assert ocsf_agents.document(threatened())["evidences"][0]["ai_agent"]["uid"] == "a"
    assert [e["ai_agent"]["uid"] for e in ocsf_agents.document(incident())["evidences"]] == ["a", "b"]


def event(**fields: Any) -> Event:
    return decided(**fields)


@pytest.mark.parametrize("effect", EFFECTS)
def test_what_is_only_recorded_is_observed(effect: str) -> None:
    made = ocsf.document(event(effect=effect, policy_mode="shadow"))
    assert (made["action_id"], made["disposition_id"]) == (3, 17)


@pytest.mark.parametrize("resource", ["", "https://[broken", "https://a.example/x?y", "C:\\x\\y", "🦊" * 500])
@pytest.mark.parametrize("noun", ["file", "url", "shell", "table", "tool"])
def test_odd_resources(noun: str, resource: str) -> None:
    assert mistakes(ocsf.document(event(action=f"read:{noun}", resource=resource))) == []


def test_a_line_is_one_line_of_json() -> None:
    made = ocsf.line(event(resource="a\nb", arguments="line\nline"))
    assert b"\n" not in made
    assert json.loads(made)["metadata"]["uid"] == "log/0/7"


def test_a_technique_is_named() -> None:
    made = ocsf.document(threatened())
    assert made["finding_info"]["attacks"][0]["technique"]["uid"] == "AML.T0053"
    assert ocsf.document(incident())["finding_info"]["attacks"][0]["technique"]["uid"] == "AML.T0053"
