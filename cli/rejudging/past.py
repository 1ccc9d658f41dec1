"""agent.control as it was: what was in force at an offset of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from judgement.rules import Rules
from ledger.keys import VerifyKey
from runtime.errors import PraetorError
from schemas.topics import CONTROL
from streams.canary import Canary
from streams.control_view import ControlView


@dataclass(frozen=True)
class Moment:
    """What decisions of one control offset were judged by."""

    rules: Rules | None
    canary: Canary | None

    def digest(self, agent: bytes) -> str | None:
        """The bundle that an agent was judged by, by its key."""
        rules = self.canary.rules if self.canary is not None and self.canary.takes(agent) else self.rules
        return rules.digest if rules is not None else None


class Past:
    """Folds the records of agent.control again, as far as asked.

    What is asked in ascending order is folded once. Memory: one set of rules for each bundle that was in
    force at an offset asked for.
    """

    def __init__(
        self,
        records: Sequence[tuple[int, bytes | None]],
        keys: Sequence[VerifyKey],
        policy: Sequence[VerifyKey] | None = None,
    ) -> None:
        """Take offsets and values, all that there are, and the keys of orders and of bundles."""
        self._records = records
        self._trusted = keys, policy
        self._moments: dict[int, Moment] = {}
        self._view = ControlView(keys, policy)
        self._next = 0
        whole = ControlView(keys, policy)
        asyncio.run(_minted(whole, records))
        self.log_id, self.partitions = whole.log_id, whole.partitions
        if not self.log_id:
            raise PraetorError(
                f"{CONTROL.name} holds no log order that the given keys believe: run `praetor topics create`,"
                " or name the right keys by PRAETOR_KEYS_DIR"
            )

    def at(self, offset: int) -> Moment:
        """What was in force once the record at this offset had been applied.

        Raises:
            PraetorError: agent.control does not reach so far, or holds an order that is not understood.
        """
        if offset not in self._moments:
            self._moments[offset] = asyncio.run(self._fold(offset))
        return self._moments[offset]

    async def _fold(self, offset: int) -> Moment:
        last = self._records[-1][0] if self._records else -1
        if offset > last:
            raise PraetorError(
                f"{CONTROL.name} ends at offset {last}, but control offset {offset} is named: its records"
                f" from {last + 1} on are missing"
            )
        if offset < self._view.read_to:
            self._view, self._next = ControlView(*self._trusted), 0
        while self._next < len(self._records) and self._records[self._next][0] <= offset:
            await self._view.fold(*self._records[self._next])
            self._next += 1
        await self._view.settle()
        if self._view.newer:
            raise PraetorError(self._view.newer)
        return Moment(self._view.rules, self._view.canary)


async def _minted(view: ControlView, records: Sequence[tuple[int, bytes | None]]) -> None:
    for offset, value in records:
        await view.fold(offset, value)
        if view.log_id:
            return
