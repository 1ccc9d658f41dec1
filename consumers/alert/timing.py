"""When a group is to be told, and what: a function of the group, its route and the time."""

from typing import NamedTuple

from consumers.alert.document import Route
from consumers.alert.group import Group
from consumers.alert.signal import RANKS

NEVER = 2**62


class Step(NamedTuple):
    """What a receiver is to do, and why it is told."""

    action: str
    reason: str


def due_at(group: Group, route: Route) -> int:
    """When `decide` may have something to say, if nothing changes until then."""
    if group.number == 0:
        return group.opened_at + _ms(route.digest if route.digest is not None else route.wait)
    if group.status == "resolved" or _escalated(group):
        return 0
    if group.status == "acknowledged" and group.told_status != "acknowledged":
        return 0
    times = [NEVER]
    if group.kind == "threat":
        times.append(group.seen_at + _ms(route.quiet))
    if group.status == "open" and group.news:
        times.append(group.told_at + _ms(route.interval))
    if group.status == "open" and route.repeat:
        times.append(group.told_at + _ms(route.repeat))
    return min(times)


def decide(group: Group, route: Route, now: int) -> Step | None:
    """What to tell now; None where nothing is due."""
    if now < due_at(group, route):
        return None
    if group.number == 0:
        return Step("digest", "due") if group.kind == "digest" else Step("trigger", "opened")
    if group.status == "resolved":
        return Step("resolve", "resolved")
    if over(group, route, now):
        return Step("resolve", "quiet")
    if _escalated(group):
        return Step("update", "escalated")
    if group.status == "acknowledged":
        return Step("acknowledge", "acknowledged") if group.told_status != "acknowledged" else None
    return Step("update", "grew") if group.news else Step("update", "still open")


def over(group: Group, route: Route, now: int) -> bool:
    """Whether no threat has come for so long that a group of them is over."""
    return group.kind == "threat" and now >= group.seen_at + _ms(route.quiet)


def _escalated(group: Group) -> bool:
    return group.rank > RANKS.get(group.told_severity, 0)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
