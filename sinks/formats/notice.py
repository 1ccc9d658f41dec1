"""What all formats of notifications say in the same words."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sinks.sink import Event

ACTIONS = {
    "trigger": "",
    "update": "Update: ",
    "acknowledge": "Acknowledged: ",
    "resolve": "Resolved: ",
    "digest": "Digest: ",
    "trial": "Trial: ",
}
MOST_CAUSES = 20


class Fact(NamedTuple):
    """One line of what is known."""

    name: str
    value: str


def notice(event: Event) -> dict[str, Any]:
    """The notification's fields.

    Raises:
        ValueError: the event is no notification; only those are told to receivers.
    """
    if event.kind != "notification":
        raise ValueError(f"{event.kind} is no notification")
    return event.record


def headline(record: dict[str, Any]) -> str:
    """One line: what is to be done, how bad, what."""
    return one_line(f"{ACTIONS.get(record['action'], '')}[{record['severity']}] {record['title']}")


def one_line(text: str) -> str:
    """The text without line ends and other control characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def facts(record: dict[str, Any]) -> list[Fact]:
    """Who, which rules, how often, since when, what was done: what has a value."""
    agents = ", ".join(record["agents"]) + (", and others" if record["more_agents"] else "")
    found = [
        Fact("Agents", agents),
        Fact("Tenant", ", ".join(record["tenants"])),
        Fact("Rules", causes(record)),
        Fact("Events", f"{record['count']}" + (f" ({record['fresh']} new)" if record["fresh"] else "")),
        Fact("From", f"{moment(record['first_at'])} to {moment(record['last_at'])}"),
        Fact("Sessions", ", ".join(record["sessions"][-3:])),
        Fact("Tags", ", ".join(record["tags"])),
        Fact("By", record["by"]),
    ]
    return [Fact(fact.name, one_line(fact.value)) for fact in found if fact.value]


def causes(record: dict[str, Any]) -> str:
    """The rules with their counts."""
    told = [f"{c['cause']} ×{c['count']}" for c in record["causes"][:MOST_CAUSES]]  # noqa: RUF001
    more = len(record["causes"]) - MOST_CAUSES
    return ", ".join(told) + (f", and {more} others" if more > 0 else "")


def evidence(record: dict[str, Any]) -> list[str]:
    """Lines: the places that show it, redacted, then the events' ids."""
    places = [one_line(place) for place in record["places"]]
    ids = ", ".join(record["evidence"])
    return places + ([f"events {ids}"] if ids else [])


def moment(milliseconds: int) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cut(text: str, most: int) -> str:
    """At most so many characters; an ellipsis says that there was more."""
    return text if len(text) <= most else text[: most - 1] + "…"
