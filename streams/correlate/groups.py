"""The groups that a fold belongs to, and their keys."""

from collections.abc import Iterator
from typing import Any

from schemas.keys import SEPARATOR, escape

LIMIT = "limit"
"""The group of usage: a limit that spans agents, and the value that it counts by."""


def groups_of(fold: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a fold is counted by: a kind of group, and which.

    Threats count by all that is known of them. Denials alone count by agent: many agents' denials are common
    where a rule is new, and say little together.
    """
    if not fold["agent_id"]:
        yield LIMIT, fold["resource"]
        return
    yield "agent", fold["agent_id"]
    if not fold["threat_count"]:
        return
    for name, field in (("session", "session_id"), ("user", "user"), ("resource", "resource")):
        if fold[field]:
            yield name, fold[field]
    if fold["tool"]:
        yield "tool", fold["tool"]
    yield "tenant", fold["tenant"]


def group_key(group_by: str, tenant: str, group: str) -> bytes:
    """The key of a group's records: group_by/tenant/group, each escaped, UTF-8."""
    return SEPARATOR.join((group_by, escape(tenant), escape(group))).encode()


def group_of(key: bytes) -> tuple[str, str, str]:
    """What a key names: group_by, tenant, group.

    Raises:
        ValueError: it is no group's key.
    """
    group_by, tenant, group = key.decode().split(SEPARATOR)
    return group_by, _unescaped(tenant), _unescaped(group)


def _unescaped(part: str) -> str:
    return part.replace("%2F", "/").replace("%00", "\x00").replace("%25", "%")
