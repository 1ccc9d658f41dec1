"""A seeded log of a fleet's actions: ordinary and hostile agents, and records that are wrong in every way."""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from schemas.codec import encode
from schemas.keys import agent_key, partition_of

ORDINARY = ("read:file", "read:db", "chat:model")
HOSTILE = ("exec:shell", "send:email", "delete:table")
START = 1_700_000_000_000_000


class Sent(NamedTuple):
    """A record for agent.actions, with the partition it is sent to."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = []  # noqa: RUF012 - a NamedTuple's default is shared, and never changed


def action(rng: Random, agent_id: str = "agent-1", **fields: Any) -> dict[str, Any]:
    """An action's fields, as the schema names them; the rest takes its defaults."""
    return {
        "event_id": str(UUID(int=rng.getrandbits(128), version=4)),
        "tenant": "acme",
        "agent_id": agent_id,
        "session_id": f"session-{rng.randrange(5)}",
        "occurred_at": START + rng.randrange(10**12),
        "action": "read:file",
        "resource": f"/workspace/{rng.randrange(40)}.py",
        "salt": rng.randbytes(16),
        **fields,
    }


def framed(fields: dict[str, Any]) -> bytes:
    """The bytes of an action, as a producer sends them."""
    return encode("action_event", fields)


def routed(fields: dict[str, Any], partitions: int) -> Sent:
    """An action under its right key, in its right partition."""
    key = agent_key(fields["tenant"], fields["agent_id"])
    return Sent(partition_of(key, partitions), key, framed(fields))


def malformed(rng: Random, good: bytes) -> bytes | None:
    """A value that does not decode."""
    return rng.choice(
        [
            None,
            b"",
            b"\x00",
            rng.randbytes(rng.randrange(1, 80)),
            good[: rng.randrange(6, len(good))],
            good + b"\x00",
            b"\x00\x00\x00\x27\x0f" + good[5:],
            good[:5] + b"\xff" * 11 + good[16:],
            b'{"event_id": "json"}',
        ]
    )


def fleet(seed: int, count: int, partitions: int, agents: int = 120) -> Iterator[Sent]:
    """Yield records: of 100, some 95 are right, 2 malformed, 3 misrouted; 1 agent in 10 is hostile.

    Every other agent's actions are numbered by a producer whose epoch is the seed, now and then wrongly.
    """
    rng = Random(seed)
    lives = [0] * agents
    for nth in range(count):
        number = rng.randrange(agents)
        kind = rng.choice(HOSTILE if number % 10 == 0 else ORDINARY)
        fields = action(rng, f"agent-{number}", tenant=f"tenant-{number % 3}", action=kind)
        if number % 2:
            fields |= {"producer_id": "fleet", "producer_epoch": seed, "producer_seq": lives[number]}
            lives[number] += (1, 1, 1, 1, 0, 1, 1, 3, 1, -1)[(number + nth) % 10]
        if rng.random() < 0.5:
            fields |= {"tool": "tool", "arguments": f'{{"n": {rng.randrange(1000)}}}'}
        if rng.random() < 0.1:
            fields |= {"content": "é" * rng.randrange(500), "labels": {"a": "1", "b": "2"}}
        yield _spoilt(rng, routed(fields, partitions), partitions)


def _spoilt(rng: Random, sent: Sent, partitions: int) -> Sent:
    luck = rng.random()
    if luck < 0.02 and sent.value is not None:
        return sent._replace(value=malformed(rng, sent.value), headers=[("trace", rng.randbytes(8))])
    if luck < 0.03:
        return sent._replace(partition=(sent.partition + 1) % partitions)
    if luck < 0.05:
        key = rng.choice([None, b"", b"\x00", b"\x00progress", b"other/agent", b"\xff"])
        return sent._replace(key=key, partition=rng.randrange(partitions))
    return sent
