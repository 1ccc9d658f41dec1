"""A worker of govern: owns the partitions that its group gives it, one pipeline each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.keys import SigningKey, VerifyKey
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options
from runtime.ownership import Group, Ownership
from schemas.topics import ACTIONS
from streams.control import ControlFollower
from streams.pace import Pace
from streams.partition import Partition, Place
from streams.pipeline import Pipeline, Shared
from streams.takeover import Source
from streams.topics import check_topics


@dataclass(frozen=True)
class Keys:
    """The key that signs checkpoints, and those whose orders are believed."""

    ledger: SigningKey
    control: Sequence[VerifyKey]


class Worker:
    """Judges until `stop` is set. Several workers of one prefix share the partitions.

    `pipelines` are those of the partitions held now.
    """

    def __init__(self, options: Options, prefix: str, keys: Keys) -> None:
        self.stop = asyncio.Event()
        self.pipelines: dict[int, Pipeline] = {}
        self._options = options
        self._prefix = prefix
        self._keys = keys
        self._control = ControlFollower(options, keys.control)
        self._ends = Ends(options)
        self._pace = Pace()
        self._memory: dict[int, Partition] = {}

    async def run(self) -> None:
        """Join, judge, leave.

        Raises:
            PraetorError: there is no log, or its topics are missing or not of its partition count.
            Unavailable: no broker answers at the start.
        """
        try:
            await self._ends.start()
            await self._control.start()
            view = self._control.view
            await check_topics(self._options, view, self._prefix)
            name = f"{self._prefix}praetor-govern-{view.log_id}"
            group = Group(name, ACTIONS.name, self._begin, self._held, patient=True)
            await Ownership(self._options, group).run(self.stop, self._control.follow())
        finally:
            await self._control.stop()
            await self._ends.stop()

    def _held(self, partitions: list[int]) -> None:
        self._memory = {p: memory for p, memory in self._memory.items() if p in partitions}
        self.pipelines = {}

    def _begin(self, partition: int) -> Pipeline:
        view = self._control.view
        if partition >= view.partitions:
            raise PraetorError(
                f"{ACTIONS.name} has grown: log {view.log_id} has {view.partitions} partitions, for good; "
                "agents' keys now lead elsewhere. Growing is a new log"
            )
        place = Place(view.log_id, partition, view.partitions)
        source = Source(self._options, self._ends, self._prefix)
        shared = Shared(self._control, self._pace, self._keys.ledger, self._memory)
        self.pipelines[partition] = Pipeline(source, place, shared)
        return self.pipelines[partition]
