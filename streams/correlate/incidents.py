"""From folds to incidents, group by group. Pure: no IO, no clock; a group's state is JSON.

An incident opens when its group's window holds enough, grows with each later fold, and is over once nothing
came for `quiet_ms`: its `resolved_at` is that moment, whenever it is noticed. Time is a partition's clock:
the highest `received_at` of its folds, or broker's time of its ticks and orders. So what becomes of a group
does not depend on how records are batched, nor on when what is over is looked for.

A record is made when an incident opens, when it has twice as many threats and denials as were told, meets
another agent or detector, or has not been told for a minute of the log, when it escalates, and when somebody
or the quiet says something: so a flood makes few records, and each carries exact counts.
"""

from typing import Any, NamedTuple

from schemas.verdict import Severity
from streams.correlate.groups import group_of
from streams.correlate.story import story, title
from streams.correlate.tally import Tally, merged, nothing, tally_of
from streams.correlate.thresholds import BUCKET_MS, Thresholds

State = dict[str, Any]
"""`buckets`: [minute, tally] in order; `incident`: the open one, or None."""
Incident = dict[str, Any]

TOLD_MS = 60_000
SAID = (
    *("log_id", "incident_id", "group_key", "status", "opened_at", "updated_at", "response", "revision"),
    *("change", "tenant", "group_by", "resolved_at", "resolved_by"),
)
"""Fields of a record that stand in the state under the same name."""
RESPONSE = ("kind", "target", "at", "dry_run", "control_offset", "reason")
NAMED = ("members", "agents", "sessions", "tools", "resources", "evidence", "tags", "runbook")
"""The same, in its tally."""
QUIET = "quiet"


class Place(NamedTuple):
    """Where what happens now stands: the log, the record's place in agent.folds-by-group, the time there."""

    log_id: str
    partition: int
    offset: int
    clock: int


class Step(NamedTuple):
    """What became of a group: its state (None: nothing is left to remember) and records to publish."""

    state: State | None
    told: tuple[Incident, ...] = ()


def incident_id(place: Place) -> str:
    """Names an incident by the record that opened it: the same however often that is computed."""
    return f"inc-{place.log_id[-8:]}-{place.partition}-{place.offset}"


def partition_of_id(name: str) -> int:
    """The partition that an incident's id names.

    Raises:
        ValueError: it is no incident's id.
    """
    kind, _, rest = name.partition("-")
    _, partition, offset = rest.rsplit("-", 2)
    if kind != "inc" or not offset.isdigit():
        raise ValueError(f"{name!r} is no incident's id")
    return int(partition)


def count(state: State | None, key: bytes, fold: dict[str, Any], place: Place, by: Thresholds) -> Step:
    """Count a fold in its group; `place.clock` includes it."""
    at, more = fold["last_at"], tally_of(fold)
    quieted = quiet(state, place.clock, by)
    state, told = quieted.state or {"buckets": [], "incident": None}, quieted.told
    buckets = _live(_with(state["buckets"], at, more), place.clock, by)
    incident = state["incident"]
    if incident is not None:
        grown = _grown(incident, more, at)
        now = _told(grown, grown["change"], at) if grown["change"] else grown
        told = (*told, now) if grown["change"] else told
        return Step({"buckets": buckets, "incident": now}, told)
    group_by, tenant, group = group_of(key)
    window = nothing()
    for _, tally in buckets:
        window = merged(window, tally)
    if not by.opens(group_by, window):
        return Step({"buckets": buckets, "incident": None} if buckets else None, told)
    opened = _opened(window, (group_by, tenant, group), key, place, at)
    return Step({"buckets": buckets, "incident": opened}, (*told, opened))


def quiet(state: State | None, now: int, by: Thresholds) -> Step:
    """Resolve what is quiet at a moment, and forget what counts no more."""
    if state is None:
        return Step(None)
    buckets = _live(state["buckets"], now, by)
    told: tuple[Incident, ...] = ()
    incident = state["incident"]
    if incident is not None and now - incident["updated_at"] >= by.quiet_ms:
        over = {**incident, "status": "resolved", "resolved_by": QUIET}
        over["resolved_at"] = incident["updated_at"] + by.quiet_ms
        told, incident = (_told(over, "resolved", over["updated_at"]),), None
    left = {"buckets": buckets, "incident": incident} if buckets or incident else None
    return Step(left, told)


def ordered(state: State | None, order: dict[str, Any], at: int) -> Step:
    """Do what a person says of the open incident; one that is over, or another's, is left alone."""
    incident = state and state["incident"]
    if state is None or not incident or incident["incident_id"] != order["incident_id"]:
        return Step(state)
    if order["kind"] == "acknowledge" and incident["status"] == "open":
        now = _told({**incident, "status": "acknowledged"}, "acknowledged", at, order)
        return Step({**state, "incident": now}, (now,))
    if order["kind"] == "resolve":
        by = {"status": "resolved", "resolved_by": order["author"], "resolved_at": at}
        return Step(None, (_told({**incident, **by}, "resolved", at, order),))
    if order["kind"] == "release":
        now = _told({**incident, "released": True}, "responded", at, order)
        return Step({**state, "incident": now}, (now,))
    return Step(state)


def planned(state: State, responses: list[dict[str, Any]]) -> Step:
    """Note what is to be done about the open incident, before it is done; nothing is told yet."""
    return Step({**state, "incident": {**state["incident"], "responses": responses}})


def answered(state: State, responses: list[dict[str, Any]]) -> Step:
    """Tell what was done about the open incident."""
    incident = state["incident"]
    done = [f"{r['kind']} {r['target']}" for r in responses if r["control_offset"] is not None]
    noted = {**incident, "responses": responses, "response": ", ".join(done)}
    now = _told(noted, "responded", incident["told_at"])
    return Step({**state, "incident": now}, (now,))


def open_agents(incident: Incident) -> list[str]:
    """The agents that an incident may be answered at: those with a threat that alarms, else all."""
    agents: list[str] = incident["tally"]["alarming"] or incident["tally"]["agents"]
    return agents


def _opened(window: Tally, group: tuple[str, str, str], key: bytes, place: Place, at: int) -> Incident:
    group_by, tenant, _ = group
    made = {
        "log_id": place.log_id,
        "incident_id": incident_id(place),
        "group_key": key.decode(),
        "group_by": group_by,
        "tenant": tenant,
        "status": "open",
        "opened_at": window["first_at"],
        "updated_at": at,
        "tally": window,
        "revision": 0,
        "responses": [],
        "response": "",
        "resolved_at": None,
        "resolved_by": "",
        "released": False,
    }
    return _told(made, "opened", at)


def _grown(incident: Incident, more: Tally, at: int) -> Incident:
    before, after = incident["tally"], merged(incident["tally"], more)
    told = incident["told"]
    change = ""
    if after["severity"] > before["severity"]:
        change = "escalated"
    elif (
        _size(after) >= 2 * told
        or len(after["agents"]) > len(before["agents"])
        or len(after["detectors"]) > len(before["detectors"])
        or at - incident["told_at"] >= TOLD_MS
    ):
        change = "grew"
    return {**incident, "tally": after, "updated_at": max(incident["updated_at"], at), "change": change}


def _told(incident: Incident, change: str, at: int, order: dict[str, Any] | None = None) -> Incident:
    now = {**incident, "change": change, "revision": incident["revision"] + 1}
    now |= {"told": _size(incident["tally"]), "told_at": at, "note": order["reason"] if order else ""}
    return now


def _size(tally: Tally) -> int:
    return int(tally["threats"] + tally["denials"])


def _with(buckets: list[Any], at: int, more: Tally) -> list[Any]:
    minute = at // BUCKET_MS
    found = dict(buckets)
    found[minute] = merged(found[minute], more) if minute in found else more
    return [[m, t] for m, t in sorted(found.items())]


def _live(buckets: list[Any], now: int, by: Thresholds) -> list[Any]:
    return [[m, t] for m, t in buckets if m > (now - by.window_ms) // BUCKET_MS]


def record_of(incident: Incident) -> dict[str, Any]:
    """The record of agent.incidents (incident v2)."""
    tally = incident["tally"]
    return {
        **{name: incident[name] for name in SAID},
        **{name: tally[name] for name in NAMED},
        "responses": [{name: r[name] for name in RESPONSE} for r in incident["responses"]],
        "severity": Severity(tally["severity"] or Severity.low).name,
        "title": title(incident),
        "story": story(incident),
        "detectors": [
            {"detector": name, "title": said, "severity": Severity(severity).name, "count": number}
            for name, (said, severity, number) in tally["detectors"].items()
        ],
        "threat_count": tally["threats"],
        "denial_count": tally["denials"],
    }
