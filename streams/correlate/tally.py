"""What a group's folds add up to: counts that are exact, and names up to a bound. Pure; a tally is JSON."""

from collections.abc import Iterable
from typing import Any

from schemas.verdict import Severity

Tally = dict[str, Any]
"""threats, denials: counts. severity: the highest, a number. first_at: the first's received_at. agents,
sessions, tools, resources, evidence, tags, members: names. alarming: the agents with a threat of at least
medium. detectors: by id [title, severity, count]. runbook: the worst threat's."""

MOST = {"agents": 100, "sessions": 100, "tools": 100, "resources": 100, "alarming": 100, "tags": 50}
MOST_MEMBERS = 100
MOST_DETECTORS = 50
MOST_EVIDENCE = 50
LATEST = 1 << 62


def nothing() -> Tally:
    """No fold."""
    names: Tally = {name: [] for name in (*MOST, "evidence", "members")}
    return {
        "threats": 0,
        "denials": 0,
        "severity": 0,
        "first_at": LATEST,
        "detectors": {},
        "runbook": "",
        **names,
    }


def tally_of(fold: dict[str, Any]) -> Tally:
    """One fold's tally."""
    found = nothing()
    found["threats"], found["denials"] = fold["threat_count"], fold["denial_count"]
    found["first_at"] = fold["first_at"]
    found["agents"] = [fold["agent_id"]]
    for name, one in (("sessions", "session_id"), ("tools", "tool"), ("resources", "resource")):
        found[name] = [fold[one]] if fold[one] else []
    for item in fold["items"]:
        severity = int(Severity[item["severity"]])
        title, worst, count = found["detectors"].get(item["detector"], [item["title"], 0, 0])
        found["detectors"][item["detector"]] = [title, max(worst, severity), count + item["count"]]
        if item["kind"] == "threat":
            if severity >= Severity.medium:
                found["alarming"] = [fold["agent_id"]]
            if severity > found["severity"] or not found["runbook"]:
                found["runbook"] = item["runbook"]
            found["severity"] = max(found["severity"], severity)
            found["members"].append(f"{item['detector']}/{fold['tenant']}/{fold['agent_id']}")
        found["evidence"] += item["evidence"]
        found["tags"] = _joined(found["tags"], item["tags"], MOST["tags"])
    found["evidence"] = found["evidence"][-MOST_EVIDENCE:]
    return found


def merged(first: Tally, second: Tally) -> Tally:
    """Both together, the second after the first. Neither is changed."""
    found: Tally = {
        "threats": first["threats"] + second["threats"],
        "denials": first["denials"] + second["denials"],
        "severity": max(first["severity"], second["severity"]),
        "first_at": min(first["first_at"], second["first_at"]),
        "evidence": [*first["evidence"], *second["evidence"]][-MOST_EVIDENCE:],
        "members": _joined(first["members"], second["members"], MOST_MEMBERS),
    }
    worse = second["severity"] > first["severity"] or not first["runbook"]
    found["runbook"] = second["runbook"] if worse and second["runbook"] else first["runbook"]
    for name, most in MOST.items():
        found[name] = _joined(first[name], second[name], most)
    detectors = dict(first["detectors"])
    for name, (title, severity, count) in second["detectors"].items():
        if name in detectors:
            was = detectors[name]
            detectors[name] = [was[0], max(was[1], severity), was[2] + count]
        elif len(detectors) < MOST_DETECTORS:
            detectors[name] = [title, severity, count]
    found["detectors"] = detectors
    return found


def _joined(first: Iterable[str], second: Iterable[str], most: int) -> list[str]:
    return list(dict.fromkeys([*first, *second]))[:most]
