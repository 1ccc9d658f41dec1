"""A notification by a template of the receiver's owner: JSON whose texts may name fields."""

import json
from string import Template
from typing import Any

from sinks.formats.notice import causes, evidence, facts, headline, notice
from sinks.sink import Event


def values(event: Event) -> dict[str, Any]:
    """What a template may name: the record's own fields, and what other formats are made of."""
    record = notice(event)
    known = "\n".join(f"{fact.name}: {fact.value}" for fact in facts(record))
    return {
        **record,
        "id": event.id,
        "headline": headline(record),
        "facts": known,
        "rules": causes(record),
    } | {"evidence_lines": "\n".join(evidence(record))}


def body(event: Event, template: Any) -> bytes:
    """The template filled in: `$field` in texts, or as a whole text the field's own value.

    Values are put into a finished structure, so that no text of an agent's can leave its place in it.
    """
    return json.dumps(_filled(template, values(event)), ensure_ascii=False).encode("utf-8", "replace")


def mistakes(template: Any) -> list[str]:
    """The fields that a template names and that there are not."""
    if isinstance(template, dict):
        return [m for value in template.values() for m in mistakes(value)]
    if isinstance(template, list):
        return [m for value in template for m in mistakes(value)]
    if not isinstance(template, str):
        return []
    found = Template(template)
    if not found.is_valid():
        return [f"{template!r}: write $$ for a dollar sign"]
    return [
        f"{template!r} names {name!r}, which there is not"
        for name in found.get_identifiers()
        if name not in NAMES
    ]


def _filled(template: Any, known: dict[str, Any]) -> Any:
    if isinstance(template, dict):
        return {key: _filled(value, known) for key, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, known) for value in template]
    if not isinstance(template, str):
        return template
    name = template.removeprefix("$").strip("{}")
    if template.startswith("$") and name in known:
        return known[name]
    return Template(template).substitute({key: _text(value) for key, value in known.items()})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


NAMES = frozenset(
    "id headline facts rules evidence_lines log_id notification_id receiver route group_id number action kind"
    " reason severity title text at first_at last_at tenants agents more_agents sessions count fresh causes"
    " places evidence done by runbook queries tags".split()
)
