"""Events as a destination gets them, and quick patience."""

from consumers.delivery.patience import Patience
from schemas.verdict import Severity
from sinks.sink import Event

QUICK = Patience(first=0.01, longest=0.05, person=0.05, tries=3)


def event(number: int, **fields: object) -> Event:
    """A decision of its own number."""
    record = {
        "event_id": f"00000000-0000-0000-0000-{number:012}",
        "tenant": "acme",
        "agent_id": "coder-1",
        "action": "exec:shell",
        "resource": f"/work/{number}",
        "effect": "deny",
        "severity": Severity.high.name,
        "tags": ["ASI05"],
        "reasons": [{"policy": "base", "rule": "r1", "effect": "deny", "message": "not yours"}],
        "received_at": 1_780_000_000_000 + number,
        "log_id": "log",
        "partition": 0,
        "seq": number,
        "arguments": '{"secret": "hunter2"}',
        "salt": b"0123456789abcdef",
        "leaf": bytes(32),
        **fields,
    }
    return Event("decision", f"log/0/{number}", b"acme/coder-1", "agent.decisions", 0, number, record)
