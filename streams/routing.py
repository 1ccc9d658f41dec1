"""Whether an action came under its agent's key, in the partition of that key (the design's invariant 10)."""

from collections.abc import Container

from schemas.action import Action
from schemas.keys import agent_key, partition_of
from schemas.verdict import Effect, Reason, Severity, Verdict

MEMO_LIMIT = 200_000


class Routes(dict[bytes, bytes]):
    """From the bytes of tenant and agent to the agent's key, for agents of one partition: a bounded memo."""

    def __init__(self, partition: int, partitions: int, here: Container[bytes]) -> None:
        """Take the partition, of how many, and the keys of agents that are known to be in it."""
        super().__init__()
        self._partition = partition
        self._partitions = partitions
        self._here = here

    def key(self, action: Action) -> bytes:
        """The key that an action of this agent must have, or b'' where its partition is another."""
        found = self.get(action.agent)
        if found is not None:
            return found
        key = agent_key(action.tenant, action.agent_id)
        if key not in self._here and partition_of(key, self._partitions) != self._partition:
            return b""
        if len(self) >= MEMO_LIMIT:
            self.clear()
        self[action.agent] = key
        return key

    def misrouted(self, action: Action, key: bytes | None) -> Verdict:
        """The denial of an action that came under another key, or in another partition, than its agent's."""
        right = agent_key(action.tenant, action.agent_id)
        message = (
            f"misrouted: the key of this tenant and agent is {right[:256]!r}, in partition "
            f"{partition_of(right, self._partitions)}; it came with key {(key or b'')[:256]!r} in partition "
            f"{self._partition}. Use that key and partitioner=murmur2_random"
        )
        reason = Reason("praetor", "misrouted", Effect.deny, message)
        return Verdict(Effect.deny, reasons=(reason,), severity=Severity.high, tags=("ASI03",))
