"""Formats as others read them: CEF and syslog by jc's parsers, Parquet by pyarrow; no field is lost."""

import io
from typing import Any

import jc
import pyarrow.parquet
import pytest

from sinks.encoding import FORMATS, OCSF, Encoding
from sinks.formats import cef, ecs, leef, ocsf, ocsf_agents
from sinks.formats.ocsf_classes import CLASSES
from sinks.formats.ocsf_columns import COLUMNS, _text
from sinks.parquet import Parquet
from sinks.sink import Event
from sinks.syslog import SyslogSettings, SyslogSink
from tests.delivery.making_all import EVENTS, ODD, decided, incident, old_incident, threatened

ODD_FIELDS = {"decision": "resource", "threat": "message", "incident": "story"}


def odd(kind: str, text: str) -> Event:
    """An event with an odd text where people's texts stand."""
    return EVENTS[kind](**{ODD_FIELDS[kind]: text})


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("text", ODD)
def test_cef_is_read_by_a_parser_of_others(kind: str, text: str) -> None:
    event = odd(kind, text)
    made = cef.line(event)
    assert b"\n" not in made
    (found,) = jc.parse("cef", made.decode() + "\n", raw=True, quiet=True)
    assert (found["CEFVersion"], found["deviceVendor"], found["deviceProduct"]) == ("0", "Praetor", "Praetor")
    assert found["externalId"] == event.id
    for key, value in cef.document(event).items():
        assert plain(found[key]) == plain(value), key


def plain(value: Any) -> str:
    """Without escapes and what CEF leaves out: what remains is what a person reads."""
    text = str(value)
    for escaped, raw in (("\\\\", "\\"), ("\\=", "="), ("\\|", "|"), ("\\n", " "), ("\\r", " ")):
        text = text.replace(escaped, raw)
    kept = "".join(c if c >= " " and c not in "\x7f\x85\u2028\u2029" else " " for c in text)
    return "".join(kept.split())


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("text", ODD)
def test_leef_keeps_to_its_header_and_its_delimiter(kind: str, text: str) -> None:
    """There is no parser of LEEF that is kept up: this reads it as IBM's guide says."""
    event = odd(kind, text)
    line = leef.line(event).decode()
    version, vendor, product, _, code, delimiter, attributes = line.split("|", 6)
    assert (version, vendor, product, delimiter) == ("LEEF:2.0", "Praetor", "Praetor", "x09")
    assert code
    found = dict(pair.split("=", 1) for pair in attributes.split("\t"))
    assert found["uid"] == event.id
    assert set(found) == set(leef.document(event))


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("text", [text for text in ODD if "\u2028" not in text])
def test_syslog_is_read_by_a_parser_of_others(kind: str, text: str) -> None:
    """jc knows no priority from 100 to 109, ends lines at U+2028, and takes backslashes out of messages."""
    event = EVENTS[kind](**{ODD_FIELDS[kind]: text, "severity": "informational"})
    settings = SyslogSettings(type="syslog", host="127.0.0.1")
    sink = SyslogSink(settings, Encoding(FORMATS["plain"]), None)  # type: ignore[arg-type]
    (found,) = jc.parse("syslog", sink.message(event).decode(), quiet=True)
    named = (found["priority"], found["hostname"], found["appname"], found["msg_id"])
    assert named == (13 * 8 + 6, "praetor", "praetor", kind)
    (data,) = found["structured_data"]
    assert (data["identity"], data["parameters"]) == ("praetor@32473", {"id": event.id})
    assert found["message"].startswith('{"kind"')


@pytest.mark.parametrize("version", OCSF)
def test_parquet_has_a_column_for_every_field(version: str) -> None:
    make = {"1.8.0": ocsf.document, "1.9.0": ocsf_agents.document}[version]
    full = {"model": "m", "input_tokens": 5, "on_behalf_of": "bob", "principal": "p", "trace_id": "1" * 32}
    actions = [f"{verb}:{noun}" for verb in ("read", "call") for noun in [*CLASSES, "tool"]]
    events = [decided(action=a, tool="t", tool_server="s", outcome="ok", **full) for a in actions]
    events += [threatened(), incident(), incident(status="resolved", change="resolved", resolved_at=1)]
    by_class: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        document = make(event)
        by_class.setdefault(document["class_uid"], []).append(document)
    assert set(by_class) == set(COLUMNS)
    for documents in by_class.values():
        table = pyarrow.parquet.read_table(io.BytesIO(Parquet().file(documents)))
        assert [bare(row) for row in table.to_pylist()] == [
            said(d) for d in sorted(documents, key=lambda d: d["time"])
        ]


def bare(value: Any) -> Any:
    """Without what is absent."""
    if isinstance(value, dict):
        found = {key: bare(inner) for key, inner in value.items() if inner is not None}
        return {key: dict(inner) if key == "unmapped" else inner for key, inner in found.items()}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


def said(document: dict[str, Any]) -> dict[str, Any]:
    """What Parquet has text for is text."""
    found = document | {"unmapped": {key: _text(value) for key, value in document["unmapped"].items()}}
    for evidence in found.get("evidences", ()):
        if "data" in evidence:
            evidence["data"] = _text(evidence["data"])
    return found


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("change", ["opened", "grew", "escalated", "acknowledged", "resolved", "responded"])
def test_an_incident_is_told_whole_in_every_format(name: str, change: str) -> None:
    line = FORMATS[name].line(incident(change=change)).decode()
    for told in ("denied 12 times within 3 minutes", "inc-1", "quarantine", "acme", "ASI10", "denial-burst"):
        assert told in line, told


@pytest.mark.parametrize("name", FORMATS)
def test_an_incident_of_the_first_version_is_told_as_well(name: str) -> None:
    line = FORMATS[name].line(old_incident()).decode()
    assert "leak keys" in line
    assert "quarantined acme/a" in line


def test_ecs_says_of_an_incident_when_it_began_and_ended() -> None:
    made = ecs.document(incident(change="resolved", status="resolved", resolved_at=1_790_000_001_000))
    assert made["event"]["action"] == "incident-resolved"
    assert made["event"]["end"] == "2026-09-21T14:13:21.000Z"
    assert made["related"]["user"] == ["a", "b"]
