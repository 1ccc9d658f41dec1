"""A loop that judges while a bundle comes over agent.control: how long its batches take."""

import asyncio
import gc
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from bench.load import TENANT, make_bundle
from bench.memory import LOG_ID, Received, new_partition, receive
from bench.remember import idle_cells
from bench.rulesets import half_said, meeting, read
from bench.stack import Job
from judgement.rules import compile_rules
from ledger.keys import SigningKey
from policies.bundle import Bundle, pack_bundle
from runtime.errors import PraetorError
from schemas.keys import agent_key
from streams.bundle_orders import Head, head_payload, part_payloads
from streams.bundle_signature import sign_digest
from streams.cells import add_state_record
from streams.control_view import ControlView
from streams.orders import Order, sign_order
from streams.pace import BatchSize
from streams.partition import Partition

KEY = SigningKey("bench", b"5" * 32)
RUNNING = 1_000
"""Rules that are in force before."""
ACTIONS = 40_000
ALONE_SECONDS = 2.0


async def swap(job: Job) -> dict[str, Any]:
    """Judge batch after batch, alone and while a bundle is put in force.

    Settings: `agents` that the partition remembers, `rules` of the new bundles, `sizes` of batches: actions,
    or 0 for as many as govern takes.

    Returns:
        By size of batch: milliseconds of each batch, `alone` and `swapping`, and `seconds` that a swap took.
    """
    rules = half_said(RUNNING)
    first = make_bundle(rules)
    view = ControlView([KEY.verify_key])
    serials = itertools.count(1)
    offsets = itertools.count()
    minted = json.dumps({"log_id": LOG_ID, "partitions": 1}).encode()
    for value in [_signed("log", minted, 0), *_brought(first, next(serials))]:
        await view.apply(next(offsets), value)
    partition = new_partition(compile_rules(first))
    for key, cell in idle_cells(job.settings["agents"]):
        add_state_record(key, cell, partition.agents)
    gc.collect()
    framed = meeting(rules[:-2], ACTIONS, seed=1)
    keys = (agent_key(TENANT, action.agent_id) for action in read(framed))
    records = receive(zip(keys, framed, strict=True))
    found: dict[str, Any] = {}
    for i, size in enumerate(job.settings["sizes"]):
        bundle = make_bundle([*half_said(job.settings["rules"])[i:]])
        orders = [(next(offsets), value) for value in _brought(bundle, next(serials))]
        loop = _Loop(partition, view, records, size)
        await loop.run_for(ALONE_SECONDS)
        alone, loop.batches = loop.batches, []
        started = time.perf_counter()
        swapping = asyncio.create_task(_follow(view, orders))
        while not swapping.done():
            await loop.step()
        await swapping
        if view.rules is None or view.rules.digest != bundle.digest:
            raise PraetorError(f"the bundle was not put in force: {list(view.refused)}")
        seconds = time.perf_counter() - started
        found[str(size)] = {"alone": alone, "swapping": loop.batches, "seconds": seconds}
    return found


async def _follow(view: ControlView, orders: Sequence[tuple[int, bytes]]) -> None:
    for offset, value in orders:
        await view.fold(offset, value)
    await view.settle()


class _Loop:
    """What a pipeline does between its awaits; `batches` are milliseconds from one to the next."""

    def __init__(
        self, partition: Partition, view: ControlView, records: Sequence[Received], size: int
    ) -> None:
        self.batches: list[float] = []
        self._partition = partition
        self._view = view
        self._records = itertools.cycle(records)
        self._size = size
        self._fitting = BatchSize()

    async def run_for(self, seconds: float) -> None:
        """Judge for some time."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            await self.step()

    async def step(self) -> None:
        """Judge a batch by whatever is in force, and let others have their turn."""
        started = time.perf_counter()
        if self._view.rules is not None:
            self._partition.under(self._view.rules, self._view.offset)
        batch = list(itertools.islice(self._records, self._size or self._fitting.limit))
        computing = time.thread_time()
        self._partition.commit(self._partition.judge(batch))
        self._fitting.learn(len(batch), time.thread_time() - computing)
        await asyncio.sleep(0)
        self.batches.append((time.perf_counter() - started) * 1000)


def _signed(kind: str, payload: bytes, issued_at: int) -> bytes:
    return sign_order(Order(LOG_ID, kind, "bench", issued_at, payload), KEY)


def _brought(bundle: Bundle, serial: int) -> Iterator[bytes]:
    """The records that bring a bundle and put it in force."""
    packed = pack_bundle(bundle)
    parts = list(part_payloads(bundle.digest, packed))
    signature = sign_digest(bundle.digest, KEY)
    head = Head(serial, bundle.digest, parts=len(parts), size=len(packed), signature=signature)
    for part in parts:
        yield _signed("bundle_part", part, serial)
    yield _signed("bundle", head_payload(head), serial)
