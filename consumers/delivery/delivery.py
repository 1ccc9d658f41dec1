"""Delivers to one destination: by a group, a position and a pace of its own."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import TypeVar

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from consumers.delivery.events import event_of
from consumers.delivery.feed import Feed, Records, group_of
from consumers.delivery.lagging import Lagging
from consumers.delivery.records import DeliveryLog, Receipt
from consumers.delivery.route import Route
from consumers.delivery.sending import Sender
from consumers.delivery.skips import Skips
from runtime import metrics
from runtime.errors import Malformed, PraetorError, Unavailable
from runtime.health import Check, Watch
from runtime.insist import insist
from runtime.kafka import Ends, Options
from runtime.kafka_errors import refusal
from runtime.membership import NotAMember
from sinks.sink import Event, Sink

log = structlog.get_logger()

RETRY_SECONDS = 1.0
PERSON_SECONDS = 15.0
FINISH_SECONDS = 5.0
T = TypeVar("T")


class Delivery:
    """At least once, in order within a partition, from the committed offset on.

    What is not delivered stays on the broker: a dead destination costs no memory here, and delays nobody
    else. Not promised: that an event arrives once. It carries the same id each time.
    """

    def __init__(
        self, options: Options, ends: Ends, log_id: str, prefix: str, route: Route, sink: Sink
    ) -> None:
        self.watch = Watch()
        self.route = route
        self._options = options
        group, skips = group_of(route.name, log_id, prefix), Skips(options, ends, route.name, prefix)
        self._feed = Feed(options, ends, group, route.topics, route.start, skips)
        self._lagging = Lagging(options, ends, route.name, self._feed)
        self._log = DeliveryLog(options, log_id, route.name, prefix)
        self._values: dict[str, bytes | None] = {}
        self._sender = Sender(route.name, sink, self._keep, route.most, route.patience)
        self._problem = ""
        self._joined = False
        self._free_at = 0.0

    def check(self) -> Check:
        """How it goes, asked by another thread. A destination that is away does not make us unready."""
        found = self._sender.check()
        delivers = found.ok and not self._problem
        told = {"delivers": delivers, **found.facts, **self._lagging.facts(), "problem": self._problem}
        return Check(self._joined, told)

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until `stop` is set; nothing but a bug is raised."""
        await insist(self._log.open, f"deliver to {self.route.name}", stop)
        beside = [asyncio.create_task(d) for d in (self._feed.membership.run(), self._lagging.follow())]
        try:
            self._joined = await self._feed.membership.start(stop)
            while not stop.is_set():
                await self._go_on(stop)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._feed.membership.stop()
            await self._feed.close()
            await self._sender.close()
            await self._log.close()

    async def _go_on(self, stop: asyncio.Event) -> None:
        """Stand, and deliver until what is held changes, or something fails."""
        try:
            await self._feed.stand()
            self._problem = ""
            while not stop.is_set() and not self._feed.changed.is_set():
                self.watch.does("reading", within=None)
                records = await self._gather(stop)
                if records:
                    await self._unless_changed(stop, self._deliver(records))
            return
        except NotAMember:
            pause = 0.0
        except (KafkaError, Unavailable) as error:
            person = refusal(error, self._options) if isinstance(error, KafkaError) else None
            pause = self._tell(person or error, PERSON_SECONDS if person else RETRY_SECONDS)
        except PraetorError as error:
            pause = self._tell(error, PERSON_SECONDS)
        await self._unless_changed(stop, asyncio.sleep(pause))

    async def _gather(self, stop: asyncio.Event) -> Records:
        """The next records; those of `gather_seconds` together, unless one write's worth is there before."""
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        left, until = self.route.most, 0.0
        while True:
            for tp, records in (await self._feed.read(left)).items():
                found.setdefault(tp, []).extend(records)
                left -= len(records)
            until = until or time.monotonic() + self.route.gather_seconds
            if not found or left <= 0 or time.monotonic() >= until:
                return found
            if stop.is_set() or self._feed.changed.is_set():
                return found

    def _tell(self, error: Exception, pause: float) -> float:
        reason = str(error) or type(error).__name__
        if reason != self._problem:
            self._problem = reason
            log.warning("delivery stands still", destination=self.route.name, reason=reason)
        return pause

    async def _unless_changed(self, stop: asyncio.Event, doing: Awaitable[T]) -> T | None:
        """Do it; where what is held changes, or it is time to stop, it has a few seconds more."""
        waits = [asyncio.ensure_future(e.wait()) for e in (self._feed.changed, stop)]
        task = asyncio.ensure_future(doing)
        self._feed.busy()
        try:
            await asyncio.wait((task, *waits), return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and self._sender.check().ok and not self._problem:
                await asyncio.wait((task,), timeout=FINISH_SECONDS)
            return task.result() if task.done() else None
        finally:
            for future in (task, *waits):
                future.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(task, *waits, return_exceptions=True)
            self._feed.idle()

    async def _deliver(self, records: Records) -> None:
        for tp, found in records.items():
            await self._deliver_run(tp, found)
            await self._feed.done({tp: found})

    async def _deliver_run(self, tp: TopicPartition, found: Sequence[ConsumerRecord]) -> None:
        began = time.monotonic()
        events = self._wanted(found)
        self.watch.does(f"sending {len(events)} events", within=None)
        await self._pace(len(events))
        sent = await self._sender.send(events)
        self._values.clear()
        await self._log.receipt(
            Receipt(
                tp.topic,
                tp.partition,
                found[0].offset,
                found[-1].offset,
                sent.delivered,
                len(found) - len(events),
                sent.aside,
                sent.tries,
                round((time.monotonic() - began) * 1000),
            )
        )
        metrics.DELIVERED.labels(self.route.name).inc(sent.delivered)
        metrics.DELIVERY_FILTERED.labels(self.route.name).inc(len(found) - len(events))

    def _wanted(self, found: Sequence[ConsumerRecord]) -> list[Event]:
        events = []
        for record in found:
            try:
                event = event_of(record)
            except Malformed as error:
                place = f"{record.topic}/{record.partition} offset {record.offset}"
                raise PraetorError(f"{place} cannot be delivered: {error}; upgrade praetor") from error
            if self.route.choice.wants(event):
                self._values[event.id] = record.value
                events.append(event)
        return events

    async def _keep(self, event: Event, reason: str, tries: int) -> None:
        log.warning("kept aside", destination=self.route.name, id=event.id, reason=reason)
        await self._log.keep(event, self._values.get(event.id), reason, tries)
        metrics.DELIVERY_ASIDE.labels(self.route.name).inc()

    async def _pace(self, events: int) -> None:
        """Wait until so many events may be sent."""
        if not self.route.per_second:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + events / self.route.per_second
        await asyncio.sleep(max(0.0, self._free_at - events / self.route.per_second - now))
