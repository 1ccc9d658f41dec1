"""What a caller says, and what is sent of it: redacted, cut, bound; what does not fit is refused."""

import json
import logging
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from praetor import PraetorError, Redaction
from praetor.encoding import join
from praetor.fields import Fields, Settings
from praetor.options import Options
from praetor.record import GIVEN, Recording
from praetor.texts import REDACTED, choose_redaction

from ledger.digest import text_digest
from schemas.codec import decode

CONSTANT = {
    "tenant": "acme",
    "agent_id": "a",
    "producer_id": "p",
    "producer_epoch": 1,
    "labels": {"app": "x"},
}
ANY_TEXT = st.text(st.characters())  # unpaired surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


def recorded(redact: Any = None, limit: int = 1 << 16, **fields: Any) -> dict[str, Any]:
    """What the server reads of an event."""
    recording = Recording(CONSTANT, choose_redaction(redact), {"arguments": limit, "content": limit})
    made = recording.build({"action": "read:file", **fields})
    return decode(join(made.head, 7, made.tail), "action_event")


def test_what_is_not_said_is_filled_in():
    first, second = recorded(), recorded()
    assert first["event_id"] != second["event_id"] and UUID(first["event_id"]).version == 4
    assert first["salt"] != second["salt"] and len(first["salt"]) == 16
    assert (first["tenant"], first["agent_id"], first["producer_seq"]) == ("acme", "a", 7)
    assert first["occurred_at"] > 1_700_000_000_000_000
    assert first["arguments"] is None and first["content_sha256"] is None


@given(JSON, ANY_TEXT)
def test_whatever_is_said_can_be_sent(arguments, content):
    found = recorded(arguments=arguments, content=content, resource=content)
    if arguments is not None and not isinstance(arguments, str):
        json.loads(found["arguments"])
    assert found["content"].encode() == content.encode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    "key", ["password", "dbPassword", "X-Api-Key", "authorization", "client_secret", "refresh.token", "TOKEN"]
)
def test_secret_keys_are_redacted_however_deep_and_however_given(key):
    arguments = {"a": [{"b": {key: "hunter2", "max_tokens": 5}}]}
    for given_as in (arguments, json.dumps(arguments)):
        found = recorded(arguments=given_as, content=given_as, labels={key: "hunter2"})
        assert "hunter2" not in str(found)
        assert json.loads(found["arguments"])["a"][0]["b"] == {key: REDACTED, "max_tokens": 5}
    assert found["labels"] == {"app": "x", key: REDACTED}


def test_json_without_secrets_is_sent_as_it_stands():
    text = '{ "a" : 1.50, "a": 2 }'
    assert recorded(arguments=text)["arguments"] == text


def test_own_key_names_and_functions_add_to_the_default_ones():
    found = recorded(
        redact=["ssn", lambda field, text: text.replace("4711", "#")],
        arguments={"ssn": "1", "password": "2", "note": "4711"},
        content="4711",
        resource="/4711",
    )
    assert json.loads(found["arguments"]) == {"ssn": REDACTED, "password": REDACTED, "note": "#"}
    assert (found["content"], found["resource"]) == ("#", "/#")


def test_a_redaction_of_ones_own_replaces_the_default():
    assert recorded(redact=Redaction(keys=()), arguments={"password": "x"})["arguments"] == '{"password":"x"}'


def test_a_function_that_fails_takes_the_text_away(caplog):
    def broken(field: str, text: str) -> str:
        raise RuntimeError("no")

    with caplog.at_level(logging.CRITICAL + 1):
        assert recorded(redact=broken, content="hunter2")["content"] == REDACTED


@pytest.mark.parametrize("name", ["arguments", "content"])
def test_long_text_is_cut_in_whole_characters_and_bound_by_the_whole(name):
    whole = "é" * 60
    found = recorded(limit=99, **{name: whole})
    assert found[name] == "é" * 49
    assert found[f"{name}_bytes"] == 120
    assert found[f"{name}_sha256"] == text_digest(found["salt"], name, whole.encode())
    assert recorded(limit=120, **{name: whole})[f"{name}_sha256"] is None


def test_objects_are_told_by_what_they_are():
    class Colour(Enum):
        RED = "red"

    @dataclass
    class Point:
        x: int
        token: str

    class Odd:
        def __repr__(self) -> str:
            return "hunter2"

    arguments = {
        "colour": Colour.RED,
        "point": Point(1, "hunter2"),
        "path": PurePosixPath("/a"),
        "raw": b"123",
        "odd": Odd(),
        "nan": float("nan"),
        "set": {1},
    }
    found = json.loads(recorded(arguments=arguments)["arguments"])
    odd = found.pop("odd")
    assert odd.startswith("<tests.sdk") and odd.endswith("Odd>")
    assert found == {
        "colour": "red",
        "point": {"x": 1, "token": REDACTED},
        "path": "/a",
        "raw": "<3 bytes>",
        "nan": "nan",
        "set": [1],
    }


def test_arguments_that_hold_themselves_end_somewhere():
    arguments: dict[str, Any] = {}
    arguments.update(self=arguments, twice=[arguments, arguments])
    assert "[too deep]" in recorded(arguments=arguments)["arguments"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"colour": "red"}, "no fields of an event: colour"),
        ({"salt": b""}, "no fields of an event: salt"),
        ({"phase": "later"}, "phase is 'later'; it must be one of unknown, prompt, call"),
        ({"mode": "loud"}, "mode is 'loud'; it must be one of"),
        ({"resource": 5}, "resource"),
        ({"input_tokens": 1 << 63}, "64 bits|9223372036854775808"),
        ({"occurred_at": 1 << 63}, "64 bits"),
        ({"labels": 5}, "int"),
        ({"event_id": "1"}, "event_id is '1': a UUID"),
        ({"parent_event_id": "x"}, "parent_event_id is 'x': a UUID"),
        ({"cost_usd": float("inf")}, "cost_usd is inf"),
        ({"resource": "x" * (1 << 20)}, "beyond 1 MiB"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(fields, said):
    with pytest.raises((ValueError, TypeError), match=said):
        recorded(**fields)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(PraetorError, match=r"on_full is 'drop'; it must be one of block, raise"):
        Options(on_full="drop")
    with pytest.raises(PraetorError, match=r"mode is 'loud'; it must be one of unknown, observe, enforce"):
        Options(mode="loud")
    with pytest.raises(PraetorError, match="holds nothing"):
        Options(max_events=0)


def test_what_type_checkers_and_the_docs_say_is_what_there_is():
    settings = set(Options.__dataclass_fields__)
    assert set(Settings.__annotations__) == settings
    said = {"action", "resource", "phase", "arguments", "content"} | {"parent_event_id"}
    assert set(Fields.__annotations__) | said == GIVEN
    page = (Path(__file__).parents[2] / "docs/sdk.md").read_text(encoding="utf-8")
    table = page.split("## Settings")[1].split("TLS and login")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == settings | {"bootstrap", "tenant", "agent_id"}
