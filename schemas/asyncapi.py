"""The AsyncAPI 3 document of all topics, generated from the schemas and the table of topics.

It is committed: `python -m schemas.asyncapi > docs/asyncapi.json`.

Source: AsyncAPI 3.0.0 and its Kafka bindings 0.5.0; the Avro payloads stand as they are, as Multi Format
Schema Objects. A test compares the committed file with what is generated.
"""

import json
from typing import Any, NamedTuple

from schemas.catalogue import Schema, newest
from schemas.topics import (
    ACTIONS,
    ALERTS,
    ARCHIVE,
    CHECKPOINTS,
    CONTROL,
    CORRELATIONS,
    DEAD_LETTERS,
    DECISIONS,
    DEFAULT_PARTITIONS,
    DELIVERIES,
    FOLDS,
    FOLDS_BY_GROUP,
    INCIDENT_ORDERS,
    INCIDENTS,
    NOTIFICATIONS,
    REDRIVEN,
    SNAPSHOTS,
    STATE,
    THREATS,
    UNDELIVERED,
    WORKERS,
    Topic,
)

AVRO = "application/vnd.apache.avro+json;version=1.9.0"
BINDING = "0.5.0"
AGENT_KEY = "tenant/agent_id: '%', '/' and the zero byte in each are written %25, %2F and %00; UTF-8"


class Channel(NamedTuple):
    """What a topic carries: schemas by name, the key in words, who may write, the partition in words."""

    topic: Topic
    records: tuple[str, ...]
    key: str
    writer: str
    partition: str = "the source action's"


CHANNELS = (
    Channel(
        ACTIONS,
        ("action_event",),
        AGENT_KEY,
        "producers",
        "murmur2 of the key, positive, modulo the partition count, as Kafka's Java client chooses it"
        " (librdkafka: partitioner=murmur2_random); an action in another partition is denied as misrouted",
    ),
    Channel(DECISIONS, ("decision",), "the action record's, as it came", "govern"),
    Channel(THREATS, ("threat",), AGENT_KEY, "govern"),
    Channel(CHECKPOINTS, ("checkpoint",), "none", "govern"),
    Channel(DEAD_LETTERS, ("dead_letter",), "the raw record's key", "govern"),
    Channel(REDRIVEN, ("redriven",), "none", "operators, by `praetor`", "one partition"),
    Channel(WORKERS, ("worker_status",), "the worker's id", "govern", "one partition"),
    Channel(
        STATE,
        ("progress",),
        "a zero byte and 'progress' for the progress record; else an agent's key, a zero byte and the cell's"
        " name: cells are opaque bytes, not Avro",
        "govern",
    ),
    Channel(CONTROL, ("control_record",), "none", "operators, by `praetor`", "one partition"),
    Channel(ARCHIVE, ("intent",), "topic and partition that are archived", "archive"),
    Channel(
        INCIDENTS, ("incident",), "the incident's id", "correlate", "the fold's: murmur2 of the group's key"
    ),
    Channel(FOLDS, ("fold",), AGENT_KEY + "; none of usage", "govern"),
    Channel(
        FOLDS_BY_GROUP,
        ("fold",),
        "group_by/tenant/group, each escaped as an agent's key is; the header `source` says partition and"
        " offset in agent.folds",
        "correlate",
        "murmur2 of the key, positive, modulo the partition count",
    ),
    Channel(
        INCIDENT_ORDERS,
        ("incident_order",),
        "the incident's id, none of a tick",
        "operators, by `praetor incident`; correlate, its ticks",
        "the incident's, which its id names",
    ),
    Channel(
        CORRELATIONS,
        ("correlation",),
        "the group's key, as in agent.folds-by-group; a zero byte and 'progress' for where the partition"
        " stands",
        "correlate",
        "the fold's",
    ),
    Channel(
        ALERTS,
        ("alert_state",),
        "the group's id and route; a zero byte and 'progress'",
        "alert",
        "one partition",
    ),
    Channel(NOTIFICATIONS, ("notification",), "receiver/group", "alert", "one partition"),
    Channel(SNAPSHOTS, ("snapshot",), AGENT_KEY, "govern"),
    Channel(DELIVERIES, ("delivery",), "the destination's name", "forward", "the source record's"),
    Channel(
        UNDELIVERED,
        ("undelivered",),
        "destination/id of the event",
        "forward, operators",
        "the source record's",
    ),
)


def document() -> dict[str, Any]:
    """The whole document, in a stable order."""
    messages: dict[str, Any] = {}
    for channel in CHANNELS:
        for of in _records(channel):
            messages.setdefault(of.definition["name"], _message(of, channel))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Praetor",
            "version": "1",
            "description": "Topics that agents' actions, their judgement and its proof travel on. Values are"
            " Avro in Confluent's wire format: a zero byte, the schema id in four bytes big-endian, the body."
            " Outputs may carry a prefix.",
        },
        "defaultContentType": "application/octet-stream",
        "channels": {_id(channel.topic): _channel(channel) for channel in CHANNELS},
        "operations": {
            "publishAction": {
                "action": "receive",
                "channel": _ref("channels", _id(ACTIONS)),
                "summary": "A producer publishes an action; govern receives it.",
                "messages": [_ref("channels", _id(ACTIONS), "messages", "ActionEvent")],
            },
            **{
                _operation(of, channel): {
                    "action": "send",
                    "channel": _ref("channels", _id(channel.topic)),
                    "summary": f"Written by {channel.writer} alone.",
                    "messages": [_ref("channels", _id(channel.topic), "messages", of.definition["name"])],
                }
                for channel in CHANNELS
                if channel.topic is not ACTIONS
                for of in _records(channel)
            },
        },
        "components": {"messages": messages},
    }


def _operation(of: Schema, channel: Channel) -> str:
    """`send` and the record's name; the topic too, where it is not the first that carries such records."""
    first = next(one for one in CHANNELS if of.name in one.records)
    name = f"send{of.definition['name']}"
    return name if first is channel else f"{name}To{_id(channel.topic)[0].upper()}{_id(channel.topic)[1:]}"


def _records(channel: Channel) -> list[Schema]:
    return [newest(name) for name in channel.records]


def _id(topic: Topic) -> str:
    first, *rest = topic.name.replace("-", ".").split(".")
    return first + "".join(word.capitalize() for word in rest)


def _ref(*path: str) -> dict[str, str]:
    return {"$ref": "#/" + "/".join(path)}


def _channel(channel: Channel) -> dict[str, Any]:
    single = channel.topic.single
    return {
        "address": channel.topic.name,
        "description": f"Written by {channel.writer}. Key: {channel.key}. Partition: {channel.partition}.",
        "messages": {
            of.definition["name"]: _ref("components", "messages", of.definition["name"])
            for of in _records(channel)
        },
        "bindings": {
            "kafka": {
                "topic": channel.topic.name,
                "partitions": 1 if single else DEFAULT_PARTITIONS,
                "topicConfiguration": _configuration(channel.topic),
                "x-topic-configuration": dict(channel.topic.config),
                "bindingVersion": BINDING,
            }
        },
    }


def _configuration(topic: Topic) -> dict[str, Any]:
    """The settings that the binding has words for, in its types."""
    known: dict[str, Any] = {"cleanup.policy": [topic.config.get("cleanup.policy", "delete")]}
    for name in ("retention.ms", "retention.bytes", "max.message.bytes"):
        if name in topic.config:
            known[name] = int(topic.config[name])
    return known


def _message(of: Schema, channel: Channel) -> dict[str, Any]:
    return {
        "name": of.definition["name"],
        "title": f"{of.definition['name']} v{of.version}, schema id {of.id}",
        "summary": of.definition["doc"],
        "contentType": "application/octet-stream",
        "payload": {"schemaFormat": AVRO, "schema": of.definition},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": channel.key},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "4",
                "schemaLookupStrategy": "RecordNameStrategy",
                "bindingVersion": BINDING,
            }
        },
    }


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(text(), end="")
