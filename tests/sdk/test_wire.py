"""The SDK's bytes are the server's: schema, encoding, keys, partitions, digests."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from praetor.encoding import FIELDS, SCHEMA_ID, agent_key, encode, join
from praetor.kafka import Producer
from praetor.quick import USUAL
from praetor.texts import text_digest

import ledger.digest
import schemas.keys
from schemas.action import read_action
from schemas.catalogue import IDS, newest, schema
from schemas.codec import decode, encode_body

ROOT = Path(__file__).parents[2]
LONG = st.integers(-(1 << 63), (1 << 63) - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
IDENTIFIER = st.uuids().map(str)


def values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value of a field of the schema."""
    kind, name = field["type"], field["name"]
    if name.endswith("event_id"):
        return IDENTIFIER if name == "event_id" else st.none() | IDENTIFIER
    if isinstance(kind, list):
        return st.none() | values({"name": name, "type": kind[1]})
    if isinstance(kind, dict) and kind["type"] == "enum":
        return st.sampled_from(kind["symbols"])
    if isinstance(kind, dict) and kind["type"] == "map":
        return st.dictionaries(TEXT, TEXT, max_size=3)
    if name.endswith("_sha256"):
        return st.binary(min_size=32, max_size=32)
    plain = kind["type"] if isinstance(kind, dict) else kind
    return {"string": TEXT, "long": LONG, "double": st.floats(allow_nan=False), "bytes": st.binary()}[plain]


RECORDS = st.fixed_dictionaries({f["name"]: values(f) for f in FIELDS}).map(
    lambda record: record | {"producer_seq": record["producer_seq"] & (1 << 62)}
)


NEEDED = {"occurred_at", "phase", "mode", "resource", "labels", "salt", "producer_id", "producer_epoch"}
FILLED = {"salt": b"s", "occurred_at": 5, "producer_epoch": 6}


@st.composite
def usual_records(draw) -> dict[str, Any]:
    """Records of the fields that nearly all events have: they are written directly."""
    absent = draw(st.sets(st.sampled_from(sorted(USUAL - NEEDED))))
    record = {k: v for k, v in draw(RECORDS).items() if k in USUAL - absent or k == "producer_seq"}
    required = {"event_id": draw(IDENTIFIER), "tenant": "t", "agent_id": "a", "action": "x"}
    return {**required, **record, **FILLED}


def test_the_copy_of_the_schema_is_byte_identical_and_the_newest():
    version = newest("action_event").version
    copy = (ROOT / "sdk/src/praetor/action_event.avsc").read_bytes()
    assert copy == (ROOT / f"schemas/avro/action_event.v{version}.avsc").read_bytes()
    assert IDS[SCHEMA_ID] == ("action_event", int(version))


@given(RECORDS)
def test_its_bytes_are_those_of_the_server_and_canonical(record):
    head, tail = encode(record)
    value = join(head, record["producer_seq"], tail)
    of = schema(SCHEMA_ID)
    assert value == of.prefix + encode_body(of, record)
    assert decode(value, "action_event") == record
    action = read_action(value, 0)
    assert action.body == value[5:] and action.event_id == record["event_id"]


@given(usual_records())
def test_what_is_written_directly_is_the_same(record):
    head, tail = encode(record)
    value = join(head, record["producer_seq"], tail)
    of = schema(SCHEMA_ID)
    assert value == of.prefix + encode_body(of, record)


@given(TEXT, TEXT)
def test_keys_and_partitions_are_those_the_server_checks(tenant, agent):
    key = agent_key(tenant, agent)
    assert key == schemas.keys.agent_key(tenant, agent)
    producer = Producer(None, "agent.actions")
    producer.partitions = 12
    assert producer.partition(key) == schemas.keys.partition_of(key, 12)


@given(st.binary(max_size=20), TEXT)
def test_digests_are_the_servers(salt, text):
    assert text_digest(salt, "content", text.encode()) == ledger.digest.text_digest(
        salt, "content", text.encode()
    )
