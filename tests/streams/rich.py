"""Traffic in which all that is shipped finds something: cases beside detections, as agents' lives."""

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from cli.detection_files import load_files
from cli.policy_files import shipped_detections
from judgement.loading import default_detections
from policies.bundle import Bundle, build_bundle
from policies.load import Source
from policies.model import Policy
from schemas.action import Action
from schemas.catalogue import newest
from schemas.codec import decode
from tests.streams.fleet import Sent, routed

MOST = 40
"""Of a case with more events the last ones are taken."""


class Happening(NamedTuple):
    """What an agent does, so many milliseconds after its first action."""

    after: int
    fields: dict[str, Any]


NOW = ["secret-in-arguments", "credential-file-touched", "denial-burst", "tainted-call", "failure-storm"]
POLICY: dict[str, Any] = {
    "apiVersion": "praetor/v1",
    "kind": "Policy",
    "metadata": {"name": "rich", "description": "what is found decides"},
    "rules": [
        {
            "id": "ordinary",
            "effect": "allow",
            "match": {"actions": ["read:*", "chat:*", "call:*", "delegate:*"]},
            "message": "fine",
        },
        {"id": "now", "effect": "deny", "match": {"detections": NOW}, "message": "found"},
        {
            "id": "later",
            "effect": "require_approval",
            "match": {"recent_detections": ["injected-instructions", "loop", *NOW]},
            "message": "found not long ago",
        },
        {"id": "likely", "effect": "defer", "when": "risk > 0.5", "match": {}, "message": "hijacked?"},
    ],
    "cases": [
        {"name": "yes", "action": {"action": "read:x"}, "expect": "allow"},
        {"name": "no", "action": {"action": "other:thing"}, "expect": "deny"},
    ],
}
"""It asks for detections of each sort: found now, found not long ago, risk."""


def shipped() -> Bundle:
    """All shipped detections, and the policy."""
    return build_bundle([Policy.model_validate(POLICY)], default_detections(shipped_detections()))


def remembering_files() -> list[Source]:
    """Of the shipped rules those that keep something of an agent, and some that policies here ask for.

    To make all of them ready takes a worker seconds, in which it gives way to everything else.
    """
    asked = ("/credential-file-touched.yml", "/credential-hunting.yml", "/result-overrides-instructions.yml")
    return [f for f in shipped_detections() if b"correlation:" in f[1] or f[0].endswith(asked)]


def remembering_most() -> Bundle:
    """These, all detectors in code, and the policy."""
    return build_bundle([Policy.model_validate(POLICY)], default_detections(remembering_files()))


def lives(seed: int) -> Iterator[list[Happening]]:
    """Of each case beside a detection what its agents do; agents, ids and salts are the seed's."""
    rng = Random(seed)
    for number, placed in enumerate(load_files(None).cases):
        actions = list(placed.case.actions())[-MOST:]
        begin = actions[0].received_at
        yield [Happening(a.received_at - begin, _fields(rng, a, f"{seed}-{number}")) for a in actions]


def _fields(rng: Random, action: Action, suffix: str) -> dict[str, Any]:
    record = decode(newest("action_event").prefix + action.body, "action_event")
    return {
        **record,
        "event_id": str(UUID(int=rng.getrandbits(128), version=4)),
        "agent_id": f"{action.agent_id}-{suffix}",
        "salt": rng.randbytes(16),
    }


def rich(seed: int, partitions: int) -> list[Sent]:
    """All of it at once: each agent's actions in their order, agents mixed at random."""
    return mixed(seed, *([routed(h.fields, partitions) for h in life] for life in lives(seed)))


def mixed(seed: int, *streams: Iterable[Sent]) -> list[Sent]:
    """Streams of records in one, each in its order."""
    left = [[*stream][::-1] for stream in streams]
    turns = [number for number, stream in enumerate(left) for _ in stream]
    Random(seed).shuffle(turns)
    return [left[number].pop() for number in turns]


def timed(seed: int, partitions: int, longest: int) -> list[tuple[int, Sent]]:
    """The lives that last no longer than so many milliseconds, as if all began together; by time."""
    found = [h for life in lives(seed) if life[-1].after <= longest for h in life]
    return [(h.after, routed(h.fields, partitions)) for h in sorted(found, key=lambda h: h.after)]
