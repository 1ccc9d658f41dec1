"""Random folds, as govern would write them."""

from random import Random

SEVERITIES = ("informational", "low", "medium", "high", "critical")
START = 1_780_000_000_000


def item(chance, kind, agent):
    number = chance.randint(1, 3)
    return {
        "kind": kind,
        "detector": f"{kind}-{chance.randint(1, 4)}",
        "title": "something was found",
        "severity": chance.choice(SEVERITIES[: 3 + chance.randint(0, 2)]) if kind == "threat" else "low",
        "count": number,
        "evidence": [f"{agent}-{chance.randint(1, 99)}"],
        "tags": ["ASI02"],
        "runbook": "look",
    }


def fold(chance: Random, at: int, partition: int = 0, log_id: str = "log", agents: int = 6) -> dict:
    agent = f"agent-{chance.randint(1, agents)}"
    kinds = chance.choice((("threat",), ("denial",), ("threat", "denial")))
    items = [item(chance, kind, agent) for kind in kinds]
    return {
        "log_id": log_id,
        "partition": partition,
        "first_offset": 0,
        "last_offset": 1,
        "first_at": at - chance.randint(0, 900),
        "last_at": at,
        "tenant": chance.choice(("acme", "umbrella/co")),
        "agent_id": agent,
        "session_id": chance.choice((None, f"{agent}-s")),
        "user": chance.choice((None, "alice", "bob")),
        "tool": chance.choice((None, "shell")),
        "resource": chance.choice(("", "/etc/passwd", "https://a.example/x")),
        "items": items,
        "threat_count": sum(i["count"] for i in items if i["kind"] == "threat"),
        "denial_count": sum(i["count"] for i in items if i["kind"] == "denial"),
    }
