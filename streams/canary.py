"""Which agents a canary is for: a share of them, always the same ones. No IO."""

from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Self

from judgement.rules import Rules

DOMAIN = b"praetor-canary-v1\n"
PLACES = 10_000


@lru_cache(1 << 16)
def place(agent: bytes) -> int:
    """An agent's place of 10,000, by its key (`schemas.keys.agent_key`): the same on every log and worker.

    The first 8 bytes of SHA-256(`praetor-canary-v1`, newline, key), modulo 10,000. So whoever is in a canary
    of 5% is in one of 10% too.
    """
    return int.from_bytes(sha256(DOMAIN + agent).digest()[:8]) % PLACES


@dataclass(frozen=True, slots=True)
class Canary:
    """The rules of a canary, and for how many percent of the agents (two decimals at most)."""

    rules: Rules
    share: float

    def takes(self, agent: bytes) -> bool:
        """Whether it is for this agent."""
        return place(agent) < round(self.share * PLACES / 100)

    def under(self, rules: Rules) -> Self:
        """The same for the same agents, by these rules."""
        return replace(self, rules=rules)
