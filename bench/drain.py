"""The whole of govern drains a filled log: the very Worker, held back until all its partitions are ready."""

import asyncio
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from aiokafka import AIOKafkaProducer

import streams.govern
import streams.pipeline
from bench.load import make_bundle, make_rules
from bench.measure import resident_bytes
from bench.rulesets import half_said
from bench.stack import PARTITIONS, Job
from bench.window import Window
from judgement.rules import compile_rules
from runtime.errors import PraetorError
from runtime.kafka import started
from streams.govern import Keys, Worker
from streams.keyring import CONTROL, LEDGER, read_signing_key, read_verify_keys
from streams.partition import Batch, Partition, Place
from streams.pipeline import Pipeline
from streams.takeover import MAX_BATCH_BYTES, Source
from streams.transaction import Writer

POLL_SECONDS = 0.005
READY_SECONDS = 300
DRAIN_SECONDS = 300


class HeldPipeline(Pipeline):
    """Takes over, but fetches nothing before `release`: so that no start is measured."""

    held: Any = None

    async def take_over(self) -> None:
        await super().take_over()
        self.held = self._consumer
        self.held.pause(self._tp)

    def release(self) -> None:
        self.held.resume(self._tp)

    @property
    def memory(self) -> Partition:
        if self.partition is None:
            raise PraetorError("no partition before the take-over")
        return self.partition


class CountingWriter(Writer):
    """Counts transactions and state records."""

    transactions = 0
    cells = 0

    async def write(self, batch: Batch, checkpoint: bytes | None) -> None:
        CountingWriter.transactions += 1
        CountingWriter.cells += len(batch.cells)
        await super().write(batch, checkpoint)


class Untransacted(AIOKafkaProducer):  # type: ignore[misc]
    """At-least-once: idempotent, without transactions."""

    async def begin_transaction(self) -> None:
        """Nothing begins."""

    async def commit_transaction(self) -> None:
        """The writer awaits every acknowledgement before it commits."""


async def start_untransacted(source: Source, place: Place) -> AIOKafkaProducer:
    """A producer with govern's settings, but for the transaction."""
    producer = Untransacted(
        **source.options,
        enable_idempotence=True,
        max_batch_size=MAX_BATCH_BYTES,
        max_request_size=4 * MAX_BATCH_BYTES,
        request_timeout_ms=10_000,
    )
    return await started(producer, source.options)


async def drain_govern(job: Job) -> dict[str, Any]:
    """Judge a whole log.

    Settings: `rules`, how many; `conditions`, whether a tenth of them has one in CEL; `detecting`, whether
    all shipped detections are on; `transactions`, whether there are any. From the release of all partitions
    to the commit of the last action: seconds, CPU of this process; before it: seconds and memory of the
    start.
    """
    log, keys = job.log, Path(job.log.keys)
    worker = Worker(
        log.options, job.prefix, Keys(read_signing_key(keys, LEDGER), read_verify_keys(keys, CONTROL))
    )
    make = half_said if job.settings.get("conditions") else make_rules
    rules = compile_rules(make_bundle(make(job.settings["rules"]), job.settings.get("detecting", False)))
    with ExitStack() as changes:
        changes.enter_context(mock.patch.object(streams.govern, "Pipeline", HeldPipeline))
        changes.enter_context(mock.patch.object(streams.pipeline, "Writer", CountingWriter))
        if not job.settings["transactions"]:
            changes.enter_context(mock.patch.object(streams.pipeline, "fence", start_untransacted))
        before, started_at = resident_bytes(), time.monotonic()
        running = asyncio.create_task(worker.run())
        pipelines = await _ready(worker, running)
        start = {"start_seconds": time.monotonic() - started_at, "start_bytes": resident_bytes() - before}
        start["agents"] = sum(len(p.memory.agents) for p in pipelines)
        # the log's control topic is shared by all rounds; these rules are this round's
        worker._control.view.rules = rules
        with Window(job.profile) as window:
            for pipeline in pipelines:
                pipeline.release()
            await _drained(pipelines, log.actions, running)
        worker.stop.set()
        await running
    return {
        **start,
        **window.measured(log.actions),
        "transactions": CountingWriter.transactions,
        "cells": CountingWriter.cells,
    }


async def _ready(worker: Worker, running: asyncio.Task[None]) -> list[HeldPipeline]:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        owned = worker.pipelines.values()
        pipelines = [p for p in owned if isinstance(p, HeldPipeline) and p.ready.is_set()]
        if len(pipelines) == PARTITIONS:
            return pipelines
        _check(running, deadline)
        await asyncio.sleep(0.05)


async def _drained(pipelines: list[HeldPipeline], actions: int, running: asyncio.Task[None]) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while sum(p.memory.progress.next_source_offset for p in pipelines) < actions:
        _check(running, deadline)
        await asyncio.sleep(POLL_SECONDS)


def _check(running: asyncio.Task[None], deadline: float) -> None:
    if running.done():
        running.result()
        raise PraetorError("govern ended by itself")
    if time.monotonic() > deadline:
        raise PraetorError("govern did not come to the end of the log in time")
