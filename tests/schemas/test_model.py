"""The edge model: the schema's fields, and mistakes that say where they are."""

import json

import pytest
from hypothesis import given

from runtime.errors import Malformed
from schemas.action import read_action
from schemas.catalogue import newest
from schemas.model import ActionEvent, encode_action, parse_action
from tests.schemas.encodings import ACTION, read, records

LEAST = {
    "event_id": "123e4567-e89b-12d3-a456-426614174000",
    "tenant": "acme",
    "agent_id": "coder-1",
    "occurred_at": 1,
    "action": "read:file",
}


def line(**changed):
    return json.dumps({**LEAST, **changed})


def test_the_models_fields_are_the_schemas_in_order_with_its_defaults():
    fields = newest("action_event").definition["fields"]
    assert list(ActionEvent.model_fields) == [f["name"] for f in fields]
    required = {name for name, of in ActionEvent.model_fields.items() if of.is_required()}
    assert required == {f["name"] for f in fields if "default" not in f}
    record = parse_action(line()).to_record()
    assert list(record) == [f["name"] for f in fields]
    assert {n: v for n, v in record.items() if n not in required} == {
        f["name"]: f["default"] for f in fields if "default" in f
    }


@pytest.mark.parametrize("name", ["phase", "mode"])
def test_the_models_choices_are_the_schemas_symbols(name):
    symbols = next(f["type"]["symbols"] for f in ACTION.definition["fields"] if f["name"] == name)
    for symbol in symbols:
        assert getattr(parse_action(line(**{name: symbol})), name) == symbol
    with pytest.raises(Malformed, match=f"^{name}: .*{symbols[0]}.*{symbols[-1]}"):
        parse_action(line(**{name: "other"}))


@given(records(ACTION.definition))
def test_any_record_is_written_as_json_and_read_back(record):
    if record["cost_usd"] in (float("inf"), float("-inf")):
        record["cost_usd"] = 1.0
    as_json = {n: v.hex() if isinstance(v, bytes) else v for n, v in record.items()}
    event = parse_action(json.dumps(as_json))
    assert event.to_record() == record
    key, value = encode_action(event.to_record())
    action = read_action(value, 0)
    assert read(ACTION.definition, action.body) == record
    assert action.body == value[5:]
    assert key.count(b"/") == 1


def test_times_are_iso_8601_or_microseconds():
    def occurred(value):
        return parse_action(line(occurred_at=value)).occurred_at

    assert occurred(1769851800000001) == 1769851800000001
    assert occurred("2026-01-31T09:30:00.000001Z") == 1769851800000001
    assert occurred("2026-01-31T10:30:00.000001+01:00") == 1769851800000001
    assert occurred("1969-12-31T23:59:59.999999Z") == -1
    assert parse_action(line(deadline="1970-01-01T00:00:01Z")).deadline == 1_000_000


def test_arguments_are_json_text_or_the_object_itself():
    assert parse_action(line(arguments='{"a": 1}')).arguments == '{"a": 1}'
    assert parse_action(line(arguments={"ä": [1, None]})).arguments == '{"ä":[1,null]}'


def test_the_event_id_is_taken_in_lower_case():
    upper = LEAST["event_id"].upper()
    assert parse_action(line(event_id=upper, parent_event_id=upper)).event_id == LEAST["event_id"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"agent": "x", "toolz": 1}, "unknown key 'agent'; unknown key 'toolz'"),
        ({"event_id": "1"}, "event_id: '1' is no UUID such as"),
        ({"tenant": 5}, "tenant: Input should be a valid string"),
        ({"input_tokens": "12"}, "input_tokens: Input should be a valid integer"),
        ({"input_tokens": 1 << 63}, "input_tokens: Input should be less than"),
        ({"producer_seq": -(1 << 63) - 1}, "producer_seq: Input should be greater than"),
        ({"occurred_at": "2026-01-31T09:30:00"}, "says no offset from UTC: write 2026-01-31T09:30:00Z"),
        ({"occurred_at": "yesterday"}, "occurred_at: 'yesterday' is no ISO 8601 time"),
        ({"occurred_at": 1.5}, "occurred_at: Input should be a valid integer"),
        ({"salt": "xyz"}, "salt: not hexadecimal digits"),
        ({"content_sha256": "00"}, "content_sha256: Data should have at least 32 bytes"),
        ({"labels": {"a": 1}}, "labels.a: Input should be a valid string"),
        ({"cost_usd": float("nan")}, "cost_usd: Input should be a finite number"),
        ({"content": "\ud800"}, "Invalid JSON: "),
    ],
)
def test_a_mistake_is_said_with_its_field(changed, said):
    with pytest.raises(Malformed) as refused:
        parse_action(line(**changed))
    assert said in str(refused.value)


def test_what_is_missing_is_said_all_at_once():
    with pytest.raises(Malformed, match="'event_id' is missing; 'tenant' is missing; 'agent_id' is missing"):
        parse_action("{}")
    with pytest.raises(Malformed, match=r"^the line: Input should be an object"):
        parse_action("[]")
