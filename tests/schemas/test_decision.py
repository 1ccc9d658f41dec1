"""A decision's bytes are its action's bytes and its verdict's."""

import copy

import fastavro
from hypothesis import given, settings

from schemas.catalogue import DECISIONS, IDS, newest, read_avsc, schema
from tests.schemas.encodings import read, records, write

DECISION = newest("decision")


def verdict_alone():
    """The verdict's schema with `Sha256` defined in it; in a decision the action's part defines it."""
    definition = copy.deepcopy(read_avsc("verdict", 1))
    first = next(f for f in definition["fields"] if f["type"] == ["null", "Sha256"])
    first["type"][1] = {"type": "fixed", "name": "Sha256", "size": 32}
    return definition


ACTION, VERDICT = newest("action_event").definition, verdict_alone()


@settings(max_examples=200)
@given(records(ACTION), records(VERDICT))
def test_decision_bytes_are_action_bytes_then_verdict_bytes(action, verdict):
    body = write(ACTION, action) + write(VERDICT, verdict)
    assert write(DECISION.definition, {**action, **verdict}) == body
    assert read(DECISION.definition, body) == {**action, **verdict}


def test_every_action_version_has_its_decision():
    actions = {version for name, version in IDS.values() if name == "action_event"}
    assert {action for action, _ in DECISIONS.values()} == actions
    for schema_id in DECISIONS:
        fastavro.parse_schema(schema(schema_id).definition, _write_hint=False)
