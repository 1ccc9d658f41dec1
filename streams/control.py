"""Follows agent.control, and knows how fresh its view of it is (`control_view` says what it holds)."""

import asyncio
import time
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from ledger.keys import VerifyKey
from runtime.errors import Newer, PraetorError
from runtime.health import Check
from runtime.kafka import Options, check_access, start_consumer
from runtime.kafka_errors import refusal
from runtime.metrics import BUNDLES_REFUSED, CONTROL_AGE, CONTROL_OFFSET, CONTROL_REJECTED
from schemas.topics import CONTROL
from streams.control_view import ControlView

log = structlog.get_logger()

CONFIRM_SECONDS = 1.0
CURRENT_SECONDS = 5.0
SAY_SECONDS = 30.0
COMPILE_SECONDS = 60.0
PARTITION = TopicPartition(CONTROL.name, 0)


class ControlFollower:
    """Reads agent.control to its end and goes on. Knows how fresh its view is.

    `confirmed_at` is the monotonic second at which the view was last seen to reach the topic's end.
    """

    def __init__(
        self, options: Options, keys: Sequence[VerifyKey], policy: Sequence[VerifyKey] | None = None
    ) -> None:
        self.view = ControlView(keys, policy)
        self.confirmed_at = -CURRENT_SECONDS
        CONTROL_AGE.set_function(lambda: time.monotonic() - self.confirmed_at)
        self._options = options
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self, settle: bool = True) -> None:
        """Read to the end once, or on from where an attempt that failed had come to.

        Without `settle` nothing is compiled: the view then says what was ordered, not what is in force.

        Raises:
            Newer: it holds an order of a kind that this version does not know.
            PraetorError: the topic is missing or may not be read, or no log has been minted on it.
        """
        await check_access(self._options, {CONTROL.name: ("Read",)})
        # an order stands once it is appended: else anyone's open transaction would hold back all that follow
        consumer = self._consumer = await start_consumer(
            self._options, "read_uncommitted", fetch_max_wait_ms=200
        )
        if CONTROL.name not in await consumer.topics():
            raise PraetorError(f"topic {CONTROL.name} is missing: run `praetor topics create`")
        consumer.assign([PARTITION])
        first = (await consumer.beginning_offsets([PARTITION]))[PARTITION]
        consumer.seek(PARTITION, max(first, self.view.read_to + 1))
        # what is in force at the end is compiled once, not each bundle on the way
        while not await self._confirm(consumer):
            await self._fold(await self._fetch(consumer))
        if settle:
            await self.view.settle()
            self._tell()
        if not self.view.log_id:
            raise PraetorError(
                f"{CONTROL.name} holds no log order that the given keys believe ({self.view.rejected} records"
                " ignored): run `praetor topics create`, or name the right keys by PRAETOR_KEYS_DIR"
            )

    async def include(self, offset: int) -> None:
        """Fold up to and with an offset that is on the topic; nothing is compiled."""
        if self._consumer is None:
            raise RuntimeError("include comes after start")
        while self.view.read_to < offset:
            await self._fold(await self._fetch(self._consumer))

    async def stop(self) -> None:
        """Close the connection."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def follow(self) -> None:
        """Go on reading until cancelled; a broker that does not answer only lets the view grow old.

        Raises:
            Newer: an order came of a kind that this version does not know.
        """
        if self._consumer is None:
            raise RuntimeError("follow comes after start")
        checked = time.monotonic()
        told, told_at = "", 0.0
        while True:
            try:
                await self._read(self._consumer)
                if time.monotonic() - checked >= CONFIRM_SECONDS:
                    await self._confirm(self._consumer)
                    checked = time.monotonic()
            except KafkaError as error:
                reason = str(refusal(error, self._options) or error)
                if reason != told or time.monotonic() - told_at >= SAY_SECONDS:
                    told, told_at = reason, time.monotonic()
                    log.warning("control topic does not answer", error=reason)
                await asyncio.sleep(0.2)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        records = await self._fetch(consumer)
        if not records:
            return
        began = time.monotonic()
        applying = asyncio.create_task(self._apply(records))
        try:
            # a bundle compiles for seconds: what is known to be all there is stays confirmed meanwhile
            while not (await asyncio.wait({applying}, timeout=CONFIRM_SECONDS))[0]:
                if time.monotonic() - began < COMPILE_SECONDS:
                    await self._reconfirm(consumer)
            await applying
        finally:
            applying.cancel()

    async def _fetch(self, consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
        found: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(PARTITION, timeout_ms=200)
        return found.get(PARTITION, [])

    async def _apply(self, records: Sequence[ConsumerRecord]) -> None:
        await self._fold(records)
        await self.view.settle()
        self._tell()

    async def _fold(self, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            await self.view.fold(record.offset, record.value)
            if self.view.newer:
                raise Newer(self.view.newer)

    def _tell(self) -> None:
        CONTROL_OFFSET.set(self.view.offset)
        CONTROL_REJECTED.set(self.view.rejected)
        for why, count in self.view.bundles.refusals.items():
            BUNDLES_REFUSED.labels(why).set(count)

    async def _reconfirm(self, consumer: AIOKafkaConsumer) -> None:
        try:
            await self._confirm(consumer)
        except KafkaError as error:
            log.debug("control topic does not answer", error=str(error))

    async def _confirm(self, consumer: AIOKafkaConsumer) -> bool:
        asked = time.monotonic()
        end = (await consumer.end_offsets([PARTITION]))[PARTITION]
        if await consumer.position(PARTITION) < end:
            return False
        self.confirmed_at = asked
        return True

    def check(self) -> Check:
        """Whether what is judged now is judged by a current view: readiness, asked by another thread."""
        rules, age = self.view.rules, time.monotonic() - self.confirmed_at
        facts = {
            "age_seconds": round(age, 3),
            "offset": self.view.offset,
            "bundle": rules.digest if rules is not None else None,
            "canary": self.view.canary.rules.digest if self.view.canary is not None else None,
            "rejected": self.view.rejected,
        }
        return Check(age < CURRENT_SECONDS and rules is not None, facts)

    def is_current(self) -> bool:
        """Whether the view was confirmed within the last 5 seconds."""
        return time.monotonic() - self.confirmed_at < CURRENT_SECONDS

    async def reach(self, offset: int, unless: asyncio.Event) -> bool:
        """Wait until the view includes this offset and is current; False where `unless` is set before."""
        while self.view.offset < offset or not self.is_current():
            if unless.is_set():
                return False
            await asyncio.sleep(0.02)
        return True


async def read_view(
    options: Options, keys: Sequence[VerifyKey], policy: Sequence[VerifyKey] | None = None
) -> ControlView:
    """What agent.control says now, read once to its end.

    Raises:
        PraetorError: the topic is missing, or holds no log.
    """
    follower = ControlFollower(options, keys, policy)
    try:
        await follower.start()
    finally:
        await follower.stop()
    return follower.view
