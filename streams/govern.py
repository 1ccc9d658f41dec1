"""A worker of govern: owns the partitions that its group gives it, one pipeline each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.keys import NoteKey, VerifyKey
from runtime.errors import PraetorError
from runtime.health import Health
from runtime.insist import insist
from runtime.kafka import Ends, Options
from runtime.lag import Lag
from runtime.ownership import Ownership
from runtime.work import Group
from schemas.topics import ACTIONS
from streams.control import ControlFollower
from streams.control_view import ControlView
from streams.ledger_keys import LedgerKeys
from streams.pace import Pace
from streams.partition import Partition, Place
from streams.pipeline import Pipeline, Shared
from streams.takeover import Source
from streams.topics import check_topics
from streams.worker_report import WorkerReport, applied

# What all partitions of a worker may read ahead, and the least and most of one. aiokafka holds one response
# of a partition beside the batch in work (0.14.0, consumer/fetcher.py).
FETCH_BYTES = 8 << 20
LEAST_FETCH_BYTES, MOST_FETCH_BYTES = 128 << 10, 512 << 10


@dataclass(frozen=True)
class Keys:
    """Who signs checkpoints; whose orders are believed; whose bundles, None: those of the same."""

    ledger: LedgerKeys | NoteKey
    control: Sequence[VerifyKey]
    policy: Sequence[VerifyKey] | None = None


class Worker:
    """Judges until `stop` is set. Several workers of one prefix share the partitions.

    `pipelines` are those of the partitions held now.
    """

    def __init__(self, options: Options, prefix: str, keys: Keys, health: Health | None = None) -> None:
        self.stop = asyncio.Event()
        self.pipelines: dict[int, Pipeline] = {}
        self._options = options
        self._prefix = prefix
        self._keys = keys
        self._control = ControlFollower(options, keys.control, keys.policy)
        self._ends = Ends(options)
        self._pace = Pace()
        self._memory: dict[int, Partition] = {}
        self._fetch_bytes = MOST_FETCH_BYTES
        self._health = health or Health()
        self._lag = Lag(options, self._ends, lambda: ACTIONS.name, lambda: self.pipelines)
        self._report = WorkerReport(options, prefix, lambda: applied(self._control.view, self.pipelines))
        self._health.check("broker", self._lag.broker.check)
        self._health.check("control", self._control.check)
        self._health.check("lag", self._lag.check)

    async def run(self) -> None:
        """Wait for the broker, join, judge, leave.

        Raises:
            PraetorError: there is no log, or its topics are missing or not of its partition count.
        """
        try:
            view = await insist(self._open, "start judging", self.stop)
            if view is None:
                return
            name = f"{self._prefix}praetor-govern-{view.log_id}"
            group = Group(name, ACTIONS.name, self._begin, self._held, patient=True)
            owned = Ownership(self._options, group, self._health)
            await owned.run(self.stop, self._control.follow(), self._lag.follow(), self._report.run())
        finally:
            await self._report.stop()
            await self._close()

    async def _open(self) -> ControlView:
        await self._close()  # what an attempt before has left
        await self._ends.start()
        await self._control.start()
        await check_topics(self._options, self._control.view, self._prefix)
        return self._control.view

    async def _close(self) -> None:
        await self._control.stop()
        await self._ends.stop()

    def _held(self, partitions: list[int]) -> None:
        self._memory = {p: memory for p, memory in self._memory.items() if p in partitions}
        self.pipelines = {}
        self._fetch_bytes = fetch_bytes(len(partitions))

    def _begin(self, partition: int) -> Pipeline:
        view = self._control.view
        if partition >= view.partitions:
            raise PraetorError(
                f"{ACTIONS.name} has grown: log {view.log_id} has {view.partitions} partitions, for good; "
                "agents' keys now lead elsewhere. Growing is a new log"
            )
        place = Place(view.log_id, partition, view.partitions)
        source = Source(self._options, self._ends, self._prefix)
        shared = Shared(self._control, self._pace, self._keys.ledger, self._memory, self._fetch_bytes)
        self.pipelines[partition] = Pipeline(source, place, shared)
        return self.pipelines[partition]


def fetch_bytes(partitions: int) -> int:
    """How much each of so many partitions may read ahead. A single larger batch of records is still read."""
    return max(LEAST_FETCH_BYTES, min(MOST_FETCH_BYTES, FETCH_BYTES // max(1, partitions)))
