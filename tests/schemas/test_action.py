"""The hot path's decoder against fastavro: what is canonical, what is odd, and what is broken."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import Malformed
from schemas.action import (
    ACTION_IDS,
    CALL,
    CALL_END,
    DEED,
    EAGER,
    INPUT_TOKENS,
    PHASE,
    PHASES,
    PRODUCER_ID,
    PRODUCER_SEQ,
    Action,
    read_action,
)
from schemas.catalogue import schema
from schemas.varint import zigzag
from tests.schemas.encodings import ACTION, Writer, read, records, write

RECORDS = records(ACTION.definition)
FIELDS = [f["name"] for f in ACTION.definition["fields"]]


def equal_to_fastavro(action: Action) -> dict:
    """Its bytes are what fastavro would write of what fastavro reads in them, and its values are those."""
    expected = read(ACTION.definition, action.body)
    assert write(ACTION.definition, expected) == action.body
    # as text: a NaN equals itself then, and -0.0 differs from 0.0
    assert {name: repr(action.get(name)) for name in FIELDS} == {n: repr(expected[n]) for n in FIELDS}
    assert {name: getattr(action, name) for name in EAGER} == {name: expected[name] for name in EAGER}
    rest = {n: expected[n] for n in FIELDS[: FIELDS.index("arguments")]}
    head = {"type": "record", "name": "Head", "fields": ACTION.definition["fields"][: len(rest)]}
    assert action.body[: action.texts_at] == write(head, rest)
    assert action.phase == expected["phase"]
    named = expected["producer_id"]
    numbering = None
    if named is not None:
        source = Writer().blob(named.encode()) + zigzag(expected["producer_epoch"])
        numbering = (source, expected["producer_seq"])
    assert action.numbered() == numbering
    used = (expected["input_tokens"], expected["output_tokens"], expected["cost_usd"])
    assert repr(action.usage() or (0, 0, 0.0)) == repr(used)
    return expected


@pytest.mark.parametrize("schema_id", ACTION_IDS)
def test_what_is_read_by_place_stands_there_in_every_version(schema_id):
    fields = schema(schema_id).definition["fields"]
    names = [f["name"] for f in fields]
    assert names[PHASE] == "phase"
    assert tuple(fields[PHASE]["type"]["symbols"]) == PHASES
    assert names[CALL:CALL_END] == ["action", "resource", "tool"]
    assert names[-4:] == ["labels", "arguments", "content", "salt"]
    assert DEED == {*names[PHASE:INPUT_TOKENS], "labels", "arguments", "content"}
    assert names[INPUT_TOKENS : INPUT_TOKENS + 3] == ["input_tokens", "output_tokens", "cost_usd"]
    assert names[PRODUCER_ID : PRODUCER_SEQ + 1] == ["producer_id", "producer_epoch", "producer_seq"]


@settings(max_examples=200)
@given(RECORDS, st.integers(0, 1 << 62))
def test_canonical_bytes_are_read_as_fastavro_reads_them(record, received_at):
    body = write(ACTION.definition, record)
    action = read_action(ACTION.prefix + body, received_at)
    assert action.body == body
    assert equal_to_fastavro(action) == record
    assert (action.received_at, action.schema_id) == (received_at, ACTION.id)
    assert action.agent == b"".join(Writer().blob(record[n].encode()) for n in ("tenant", "agent_id"))


@settings(max_examples=60)
@given(RECORDS, st.integers(0))
def test_odd_encodings_are_taken_in_canonical_form(record, seed):
    random = Random(seed)
    for _ in range(40):
        odd = Writer(random, random.choice([0.01, 0.01, 0.05, 0.5])).record(ACTION.definition, record)
        assert read(ACTION.definition, odd) == record
        assert equal_to_fastavro(read_action(ACTION.prefix + odd, 0)) == record


def damage(body: bytearray, marks: list[int], random: Random) -> None:
    """Flip, overwrite, cut, insert or repeat something: mostly where a field begins, else anywhere."""
    at = random.randrange(len(body) + 1)
    if random.random() < 0.7:
        at = min(random.choice(marks), len(body))
    some = random.randint(1, 12)
    match random.randrange(6):
        case 0 if at < len(body):
            body[at] ^= 1 << random.randrange(8)
        case 1 if at < len(body):
            body[at] = random.choice([0, 1, 2, 3, 127, 128, 129, 254, 255])
        case 2:
            del body[at : at + some * random.choice([1, 1, 1000])]
        case 3:
            body[at:at] = random.randbytes(some)
        case 4:
            body[at:at] = bytes([random.choice([0x80, 0xFF])]) * some
        case _:
            body[at:at] = body[max(at - some, 0) : at]


@settings(max_examples=60)
@given(RECORDS, st.integers(0))
def test_broken_bytes_are_refused_or_read_as_fastavro_reads_them(record, seed):
    random = Random(seed)
    for _ in range(250):
        writer = Writer(random, random.choice([0.0, 0.01]))
        body = bytearray(writer.record(ACTION.definition, record))
        for _ in range(random.choice([1, 1, 2, 4])):
            damage(body, writer.marks, random)
        try:
            action = read_action(ACTION.prefix + bytes(body), 0)
        except Malformed as refused:
            assert str(refused)
            continue
        assert repr(read(ACTION.definition, bytes(body))) == repr(equal_to_fastavro(action))


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(value):
    for framed in (value, ACTION.prefix + value):
        try:
            equal_to_fastavro(read_action(framed, 0))
        except Malformed as refused:
            assert str(refused)


@given(RECORDS, st.data())
def test_every_truncation_is_refused(record, data):
    body = write(ACTION.definition, record)
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(Malformed):
        read_action(ACTION.prefix + body[:cut], 0)


@given(RECORDS, st.binary(min_size=1, max_size=9))
def test_bytes_after_the_end_are_refused(record, more):
    with pytest.raises(Malformed, match="after the record's end"):
        read_action(ACTION.prefix + write(ACTION.definition, record) + more, 0)


def plain_record(**changed):
    names = {f["name"]: f.get("default") for f in ACTION.definition["fields"]}
    required = {"event_id": "123e4567-e89b-12d3-a456-426614174000", "occurred_at": 0}
    return {**names, **required, "tenant": "t", "agent_id": "a", "action": "x:y", "resource": "", **changed}


@pytest.mark.parametrize(
    "event_id",
    ["", "123E4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000", "x" * 36],
)
def test_a_uuid_that_is_not_canonical_is_refused(event_id):
    with pytest.raises(Malformed, match="event_id"):
        read_action(ACTION.prefix + write(ACTION.definition, plain_record(event_id=event_id)), 0)


@pytest.mark.parametrize("field", ["tenant", "session_id", "arguments", "content"])
def test_text_that_is_not_utf8_is_refused(field):
    body = write(ACTION.definition, plain_record(**{field: "??????"})).replace(b"??????", b"ok\xc3\x28ok")
    with pytest.raises(Malformed, match=f"{field}: not UTF-8 at its byte 2"):
        read_action(ACTION.prefix + body, 0)


def with_labels(labels: bytes) -> bytes:
    """An action whose map is written by hand."""
    body = write(ACTION.definition, plain_record())
    assert body.endswith(b"\x00" * 4)
    return ACTION.prefix + body[:-4] + labels + b"\x00" * 3


def test_a_map_block_must_have_the_size_it_says():
    entry = b"\x02k\x02v"
    good = with_labels(b"\x01" + bytes([2 * len(entry)]) + entry + b"\x00")
    assert read_action(good, 0).get("labels") == {"k": "v"}
    for size in (2 * len(entry) - 2, 2 * len(entry) + 2, 1):
        with pytest.raises(Malformed, match=r"labels: a block of .* bytes"):
            read_action(with_labels(b"\x01" + bytes([size]) + entry + b"\x00"), 0)


@pytest.mark.parametrize(
    "value",
    [
        ACTION.prefix + b"\xff" * (1 << 20),
        ACTION.prefix + b"\x80" * (1 << 20),
        with_labels(b"\xff" * (1 << 20)),
        with_labels(b"\x02" + b"\xff" * (1 << 20)),
        with_labels(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" * 100_000),
        with_labels(b"\x80\x80\x80\x01" + b"\x00" * (1 << 20)),
    ],
    ids=["ones", "continuations", "map count", "key length", "huge counts", "a million empty keys"],
)
@pytest.mark.timeout(30)  # a reader that is quadratic in the body's length takes many minutes
def test_a_mebibyte_of_malice_is_refused_without_burning_the_worker(value):
    with pytest.raises(Malformed):
        read_action(value, 0)


def test_other_records_and_frames_are_refused():
    with pytest.raises(Malformed, match="the value is null"):
        read_action(None, 0)
    with pytest.raises(Malformed, match="no Confluent wire format"):
        read_action(b"{}", 0)
    with pytest.raises(Malformed, match="schema id 301 is no ActionEvent"):
        read_action(b"\x00\x00\x00\x01\x2d", 0)
