"""Recorded decisions are read as they were written; what is none is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgement.decision import DecisionWriter, verdict_bytes
from judgement.recorded import DecisionReader
from runtime.errors import Malformed
from schemas.action import read_action
from schemas.catalogue import schema
from schemas.codec import decode_body, encode, encode_body
from schemas.verdict import Effect, Reason, Severity, Verdict

TEXT = st.text(max_size=12)
REASONS = st.builds(
    lambda p, r, e, m: Reason(p, r, e, m), TEXT, TEXT, st.sampled_from(Effect), st.text(max_size=70)
)
VERDICTS = st.builds(
    Verdict,
    effect=st.sampled_from(Effect),
    reasons=st.lists(REASONS, max_size=3).map(tuple),
    severity=st.sampled_from(Severity),
    tags=st.lists(TEXT, max_size=2).map(tuple),
    errors=st.lists(TEXT, max_size=2).map(tuple),
    modified_arguments=st.none() | TEXT,
    limits_remaining=st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=2),
    approval_id=st.none() | TEXT,
    duplicate_of=st.none() | TEXT,
)
FIELDS = st.fixed_dictionaries(
    {
        "event_id": st.uuids().map(str),
        "tenant": TEXT,
        "agent_id": TEXT,
        "occurred_at": st.integers(-(2**60), 2**60),
        "action": TEXT,
        "arguments": st.none() | TEXT,
        "content": st.none() | TEXT,
        "salt": st.none() | st.binary(max_size=16),
        "labels": st.dictionaries(TEXT, TEXT, max_size=2),
    }
)
PLACES = st.tuples(st.integers(-1, 2**40), st.integers(0, 2**40), st.integers(0, 2**40))


@given(st.lists(st.tuples(FIELDS, VERDICTS, PLACES), min_size=1, max_size=6))
@settings(max_examples=150)
def test_a_decision_is_read_as_it_was_written(made):
    reader = DecisionReader()
    for fields, verdict, (offset, seq, received_at) in made * 2:  # the second time from memory
        action = read_action(encode("action_event", fields), received_at)
        writer = DecisionWriter("log", 3)
        writer.under("sha256:ab", offset)
        decision, _ = writer.write(action, verdict, 7, seq)
        found = reader.read(int.from_bytes(decision[1:5], "big"), decision[5:])
        assert found.action.body == action.body and found.action.received_at == received_at
        assert found.made is not None and found.made.verdict == verdict_bytes(verdict)
        assert (found.made.bundle, found.made.control_offset, found.made.effect) == (
            "sha256:ab",
            offset,
            verdict.effect,
        )
        assert (found.partition, found.seq, found.erased) == (3, seq, False)
        assert found.made.deciding == (verdict.reasons[0][:2] if verdict.reasons else ("", ""))
        # erased as ClickHouse erases
        record = decode_body(schema(202), decision[5:]) | {"content": None, "modified_arguments": None}
        erased = reader.read(202, encode_body(schema(202), record))
        assert erased.erased == (fields["content"] is not None or verdict.modified_arguments is not None)


def decision_of(version: int) -> bytes:
    """A decision's body of some version, in the newest layout."""
    record = {
        "event_id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
        "tenant": "t",
        "agent_id": "a",
        "occurred_at": 1,
        "action": "x",
        "effect": "deny",
        "bundle": "b",
        "control_offset": 1,
        "engine": "2",
        "log_id": "l",
        "partition": 0,
        "source_offset": 1,
        "seq": 2,
        "received_at": 3,
        "schema": version,
        "leaf": bytes(32),
    }
    return encode_body(schema(202), record)


def test_an_older_action_is_as_it_was_though_its_row_has_newer_columns():
    found = DecisionReader().read(202, decision_of(201))
    assert found.action.schema_id == 101 and found.action.get("agent_id") == "a"
    assert decode_body(schema(101), found.action.body)["action"] == "x"
    with pytest.raises(Malformed, match="not known"):
        DecisionReader().read(202, decision_of(209))


@given(st.integers(0, 400), st.integers(0, 255))
def test_bytes_that_are_no_decision_are_refused_or_read_but_never_crash(at: int, byte: int):
    body = bytearray(decision_of(202))
    body[at % len(body)] = byte
    for spoilt in (bytes(body), bytes(body[: at % len(body)])):
        try:
            DecisionReader().read(202, spoilt)
        except Malformed:
            continue
    with pytest.raises(Malformed, match="no decision"):
        DecisionReader().read(101, bytes(body))
