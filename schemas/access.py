"""Who may do what in Kafka: the grants of acls.yaml, for a topic prefix."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from schemas.topics import TOPICS, topic_name

ACLS = Path(__file__).with_name("acls.yaml")

Kind = Literal["topic", "group", "transactional_id"]


@dataclass(frozen=True)
class Grant:
    """One operation on one resource.

    Attributes:
        kind: of the resource.
        name: its name, or what its name begins with.
        prefixed: whether `name` is only the beginning.
        operation: in Kafka's words (`Read`, `DescribeConfigs`).
        why: what it is for.
        optional: whether its holder works without it.
    """

    kind: Kind
    name: str
    prefixed: bool
    operation: str
    why: str
    optional: bool = False


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ACLS.read_text(encoding="utf-8"))
    return found


def principals() -> dict[str, str]:
    """The principals' names, and what each does."""
    return {name: entry["what"] for name, entry in _document().items()}


def grants(principal: str, prefix: str = "") -> list[Grant]:
    """A principal's grants where outputs carry this topic prefix."""
    return [
        Grant(kind, name, prefixed, operation, entry["why"], entry.get("optional", False))
        for entry in _document()[principal]["grants"]
        for kind, name, prefixed in _resources(entry, prefix)
        for operation in entry["operations"]
    ]


def topic_needs(principal: str, prefix: str = "") -> dict[str, set[str]]:
    """What a principal must be allowed to do with topics that are there, by the topic's name.

    What is optional is left out.
    """
    needs: dict[str, set[str]] = {}
    names = [topic_name(topic, prefix) for topic in TOPICS]
    for grant in grants(principal, prefix):
        meant = [n for n in names if n.startswith(grant.name)] if grant.prefixed else [grant.name]
        if grant.kind == "topic" and grant.operation != "Create" and not grant.optional:
            for name in meant:
                needs.setdefault(name, set()).add(grant.operation)
    return needs


def _resources(entry: dict[str, Any], prefix: str) -> list[tuple[Kind, str, bool]]:
    if "topic" in entry:
        topic = next(topic for topic in TOPICS if topic.name == entry["topic"])
        return [("topic", topic_name(topic, prefix), False)]
    if "topics" in entry:
        return [("topic", name, True) for name in sorted({entry["topics"], prefix + entry["topics"]})]
    if "group" in entry:
        return [("group", prefix + entry["group"], True)]
    return [("transactional_id", prefix + entry["transactional_id"], True)]
