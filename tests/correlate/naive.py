"""Incidents by brute force: each group's whole history is gone through anew for every record."""

from collections import Counter, defaultdict

from schemas.verdict import Severity
from streams.correlate.thresholds import Thresholds

MINUTE = 60_000


class Naive:
    """What one partition of agent.folds-by-group comes to; `found` are all incidents in order of opening."""

    def __init__(self, by: Thresholds) -> None:
        self.by = by
        self.clock = 0
        self.history = defaultdict(list)
        self.open = {}
        self.found = []

    def fold(self, offset, key, fold):
        self.clock = max(self.clock, fold["last_at"])
        self.notice()
        self.history[key].append(fold)
        if key in self.open:
            self.open[key]["folds"].append(fold)
            return
        window = [
            f
            for f in self.history[key]
            if f["last_at"] // MINUTE > (self.clock - self.by.window_ms) // MINUTE
        ]
        if self.opens(key.decode().split("/")[0], window):
            # stable: a minute's folds stay together, the older minute first
            first = sorted(window, key=lambda f: f["last_at"] // MINUTE)
            made = {"offset": offset, "key": key, "folds": first, "size": len(first), "opened_by": fold}
            made["resolved"] = None
            self.open[key] = made
            self.found.append(made)

    def tick(self, at):
        self.clock = max(self.clock, at)
        self.notice()

    def notice(self):
        for key, made in list(self.open.items()):
            last = updated(made)
            if self.clock - last >= self.by.quiet_ms:
                made["resolved"] = last + self.by.quiet_ms
                del self.open[key]

    def resolve(self, offset, at):
        self.tick(at)
        for key, made in list(self.open.items()):
            if made["offset"] == offset:
                made["resolved"] = at
                del self.open[key]
                self.history[key].clear()

    def opens(self, group_by, window):
        threats = [i for f in window for i in f["items"] if i["kind"] == "threat"]
        if group_by == "agent":
            return (
                any(Severity[i["severity"]] >= self.by.severity for i in threats)
                or sum(f["threat_count"] for f in window) >= self.by.threats
                or sum(f["denial_count"] for f in window) >= self.by.denials
            )
        if group_by not in self.by.agents:
            return False
        alarming = {
            f["agent_id"]
            for f in window
            for i in f["items"]
            if i["kind"] == "threat" and Severity[i["severity"]] >= Severity.medium
        }
        return len(alarming) >= self.by.agents[group_by]


def updated(made):
    """When the incident was last added to: what stood in the window at its opening does not count."""
    later = made["folds"][made["size"] :]
    return max(f["last_at"] for f in (made["opened_by"], *later))


def told(made):
    """The figures that the incident's last record must carry."""
    counts = Counter()
    for fold in made["folds"]:
        for item in fold["items"]:
            counts[item["detector"]] += item["count"]
    return {
        "group_key": made["key"].decode(),
        "threat_count": sum(f["threat_count"] for f in made["folds"]),
        "denial_count": sum(f["denial_count"] for f in made["folds"]),
        "agents": {f["agent_id"] for f in made["folds"]},
        "detectors": dict(counts),
        "resolved_at": made["resolved"],
        "opened_at": min(f["first_at"] for f in made["folds"][: made["size"]]),
        "updated_at": updated(made),
    }
