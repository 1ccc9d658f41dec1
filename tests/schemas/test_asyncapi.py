"""The committed AsyncAPI document is the generated one, and is sound in structure.

No AsyncAPI validator is among the dependencies: what is checked here is what AsyncAPI 3.0.0 says of the parts
that the document uses. (The document has no errors under AsyncAPI's own JSON Schema of 3.0.0.)
"""

import json
import re
from pathlib import Path

import fastavro
import pytest

from schemas.asyncapi import document, text
from schemas.catalogue import all_schemas, newest
from schemas.topics import DEFAULT_PARTITIONS, TOPICS

COMMITTED = Path(__file__).parents[2] / "docs" / "asyncapi.json"
DOCUMENT = document()


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            assert list(value) == ["$ref"]
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def resolve(reference):
    assert reference.startswith("#/")
    found = DOCUMENT
    for part in reference[2:].split("/"):
        found = found[part]
    return resolve(found["$ref"]) if "$ref" in found else found


def test_the_committed_document_is_the_generated_one():
    assert COMMITTED.read_text() == text(), "run: python -m schemas.asyncapi > docs/asyncapi.json"


def test_its_root_is_asyncapi_3():
    assert json.loads(text()) == DOCUMENT
    assert set(DOCUMENT) == {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    for part in ("channels", "operations"):
        assert all(re.fullmatch(r"[A-Za-z0-9_\-]+", name) for name in DOCUMENT[part])
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in DOCUMENT["components"]["messages"])


def test_every_reference_leads_somewhere():
    found = set(references(DOCUMENT))
    assert len(found) > 20
    for reference in found:
        assert isinstance(resolve(reference), dict)


def test_every_topic_is_a_channel_with_its_settings():
    channels = {channel["address"]: channel for channel in DOCUMENT["channels"].values()}
    assert set(channels) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        kafka = channels[topic.name]["bindings"]["kafka"]
        assert kafka["partitions"] == (1 if topic.single else DEFAULT_PARTITIONS)
        assert kafka["x-topic-configuration"] == topic.config
        known = kafka["topicConfiguration"]
        assert known["cleanup.policy"] == [topic.config["cleanup.policy"]]
        assert {n: str(v) for n, v in known.items() if n != "cleanup.policy"}.items() <= topic.config.items()
        assert "Key: " in channels[topic.name]["description"]
        assert "Partition: " in channels[topic.name]["description"]


def test_every_schema_is_a_message_of_some_channel():
    messages = DOCUMENT["components"]["messages"]
    assert set(messages) == {of.definition["name"] for of in all_schemas()}
    carried = [name for channel in DOCUMENT["channels"].values() for name in channel["messages"]]
    assert set(carried) == set(messages)
    assert [name for name in carried if carried.count(name) > 1] == ["Fold", "Fold"]
    for name in {of.name for of in all_schemas()}:
        of = newest(name)
        message = messages[of.definition["name"]]
        assert message["payload"]["schema"] == of.definition
        assert message["payload"]["schemaFormat"].startswith("application/vnd.apache.avro")
        assert f"schema id {of.id}" in message["title"]
        fastavro.parse_schema(message["payload"]["schema"], _write_hint=False)


@pytest.mark.parametrize(("name", "operation"), DOCUMENT["operations"].items())
def test_an_operation_is_of_its_channels_messages(name, operation):
    assert operation["action"] == ("receive" if name == "publishAction" else "send")
    channel = operation["channel"]["$ref"]
    for message in references(operation["messages"]):
        assert message.startswith(f"{channel}/messages/")
