"""A seeded fleet of agents: the same seed gives the same events, byte for byte. No IO, no clock.

An event is a function of the seed, the agent's number and the event's number in the agent's life; a seeded
generator says whose turn it is. Salts come from the seed too, so simulated texts are NOT protected by them:
for simulation only.
"""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

from schemas.keys import agent_key
from schemas.model import encode_action
from streams.fleet import HOSTILE, ORDINARY, Deed, Profile

Record = dict[str, Any]

STARTED = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z: a fixed start, as a clock would make two runs differ."""
STEP_MICROS = 1_000
SESSION_EVENTS = 13
TENANTS = ("acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka", "tyrell", "cyberdyne")
MODELS = ("model-small", "model-large")


@dataclass(frozen=True)
class Fleet:
    """So many agents, of which a share is hostile: round(agents x hostile), spread evenly.

    Raises:
        ValueError: no agents, or a share outside 0 to 1.
    """

    seed: int
    agents: int
    hostile: float = 0.02

    def __post_init__(self) -> None:
        if self.agents < 1 or not 0 <= self.hostile <= 1:
            raise ValueError(f"{self.agents} agents, {self.hostile} of them hostile: at least 1, and 0 to 1")

    def profile(self, number: int) -> Profile:
        """What kind of agent a number is."""
        hostile = round(self.agents * self.hostile)
        before, upto = number * hostile // self.agents, (number + 1) * hostile // self.agents
        kinds, nth = (HOSTILE, before) if upto > before else (ORDINARY, number)
        return kinds[nth % len(kinds)]

    def name(self, number: int) -> tuple[str, str]:
        """Tenant and agent id."""
        return TENANTS[number % len(TENANTS)], f"{self.profile(number).name}-{number:06d}"

    def key(self, number: int) -> bytes:
        """The record key that the agent's producer uses: a misrouting one uses its neighbour's."""
        wrong = self.profile(number).misrouted
        return agent_key(*self.name((number + 1) % self.agents if wrong else number))

    def digest(self, number: int, nth: int) -> bytes:
        """48 bytes that all of an event's randomness is taken from."""
        seed = str(self.seed).encode()
        return blake2b(struct.pack(">qq", number, nth) + seed, digest_size=48).digest()

    def event(self, number: int, nth: int, occurred_at: int) -> Record:
        """The nth event of an agent: a session is a prompt, then calls, each followed by its result."""
        profile = self.profile(number)
        tenant, agent = self.name(number)
        digest = self.digest(number, nth)
        session, place = divmod(nth, SESSION_EVENTS)
        record: Record = {
            "event_id": event_id(digest),
            "tenant": tenant,
            "agent_id": agent,
            "session_id": f"{agent}-{session}",
            "occurred_at": occurred_at,
            "mode": "observe",
            "producer_id": f"simulate-{self.seed}",
            "producer_seq": nth,
            "salt": digest[16:32],
        }
        if place == 0:
            prompt = profile.prompt.replace("{n}", str(digest[32]))
            return record | {"phase": "prompt", "action": "chat:model", "content": prompt}
        if place % 2:
            return record | _call(*_choose(profile, digest))
        called = self.digest(number, nth - 1)
        return record | _result(*_choose(profile, called)) | {"parent_event_id": event_id(called)}


def event_id(digest: bytes) -> str:
    """A UUID of version 8 out of a digest's first 16 bytes."""
    text = digest[:16].hex()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-8{text[17:20]}-{text[20:]}"


def _choose(profile: Profile, digest: bytes) -> tuple[Deed, str, int]:
    return profile.deeds[digest[33] % len(profile.deeds)], str(digest[32]), digest[34] * 16


def _target(deed: Deed, n: str) -> Record:
    return {"action": deed.action, "resource": deed.resource.replace("{n}", n), "tool": deed.tool}


def _call(deed: Deed, n: str, tokens: int) -> Record:
    chat = deed.action == "chat:model"
    return _target(deed, n) | {
        "phase": "call",
        "arguments": deed.arguments.replace("{n}", n),
        "cost_usd": deed.cost_usd,
        "size_bytes": deed.size_bytes,
        "model": MODELS[tokens % 3 == 0] if chat else None,
        "input_tokens": tokens if chat else 0,
    }


def _result(deed: Deed, n: str, tokens: int) -> Record:
    return _target(deed, n) | {
        "phase": "result",
        "outcome": deed.outcome,
        "content": deed.content.replace("{n}", n),
        "output_tokens": tokens // 4 if deed.action == "chat:model" else 0,
    }


def turns(fleet: Fleet, count: int | None) -> Iterator[tuple[int, int]]:
    """Whose turn it is, and the number of the event in that agent's life; without end where count is None."""
    draw = Random(fleet.seed).random  # noqa: S311 - repeatable on purpose
    lives = array("Q", bytes(8 * fleet.agents))
    done = 0
    while count is None or done < count:
        number = int(draw() * fleet.agents)
        yield number, lives[number]
        lives[number] += 1
        done += 1


def generate(
    seed: int, agents: int, count: int | None, hostile: float = 0.02, started: int = STARTED
) -> Iterator[Record]:
    """Records of ActionEvent, in order; `started` and `occurred_at` in microseconds, one millisecond apart.

    Raises:
        ValueError: no agents, or a hostile share outside 0 to 1.
    """
    fleet = Fleet(seed, agents, hostile)
    for i, (number, nth) in enumerate(turns(fleet, count)):
        yield fleet.event(number, nth, started + i * STEP_MICROS)


def generate_encoded(
    seed: int, agents: int, count: int | None, hostile: float = 0.02
) -> Iterator[tuple[bytes, bytes]]:
    """The events of `generate` as keys and framed values; the keys of misrouting agents are wrong.

    Raises:
        ValueError: no agents, or a hostile share outside 0 to 1.
    """
    return encoded(Fleet(seed, agents, hostile), count)


def encoded(fleet: Fleet, count: int | None) -> Iterator[tuple[bytes, bytes]]:
    """A fleet's events as keys and framed values; without end where count is None."""
    for i, (number, nth) in enumerate(turns(fleet, count)):
        key, value = encode_action(fleet.event(number, nth, STARTED + i * STEP_MICROS))
        yield (fleet.key(number) if fleet.profile(number).misrouted else key), value
