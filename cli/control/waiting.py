"""Waits until every live worker has applied an order, by what workers say on agent.workers."""

import time
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from rich.console import Console

from cli.control.telling import span
from runtime.errors import PraetorError
from runtime.kafka import Options, read_partition
from schemas.topics import CONTROL
from streams.workers import Following, Seen


@dataclass
class Waited:
    """Who has applied an order: worker ids, milliseconds after it was appended; who has not, who is silent.

    `unknown` says why nobody can tell.
    """

    applied: dict[str, int] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    unknown: str = ""

    def told(self) -> dict[str, Any]:
        """For --json."""
        return {
            "applied_after_ms": self.applied,
            "not_applied": self.late,
            "silent": self.silent,
            "unknown": self.unknown or None,
        }


async def wait_applied(options: Options, prefix: str, log_id: str, offset: int, timeout: float) -> Waited:
    """Wait at most `timeout` seconds until every live worker has applied a control offset.

    Live is who has said something within the 45 s before, by the broker's clock. A worker that comes later
    has read the order before it judges; one that takes its leave is waited for no more.
    """
    try:
        appended_at, began = await _appended_at(options, offset), time.monotonic()
        async with Following(options, prefix) as following:
            with Console(stderr=True).status("asking who has applied it") as line:
                while True:
                    now = appended_at + int((time.monotonic() - began) * 1000)
                    waited = _look(following.fleet.of(log_id), offset, appended_at, now)
                    if not waited.late or time.monotonic() - began >= timeout:
                        return waited
                    done, all_ = len(waited.applied), len(waited.applied) + len(waited.late)
                    line.update(f"{done} of {all_} workers have applied it, {span(now - appended_at)}")
                    await following.step()
    except PraetorError as error:
        return Waited(unknown=str(error))


def _look(fleet: list[Seen], offset: int, appended_at: int, now: int) -> Waited:
    waited = Waited()
    for seen in fleet:
        worker = seen.status.worker_id
        if seen.is_silent(now):
            waited.silent.append(worker)
        elif seen.status.control_offset < offset:
            waited.late.append(worker)
        else:
            waited.applied[worker] = max(0, seen.applied_at() - appended_at)
    return waited


async def _appended_at(options: Options, offset: int) -> int:
    control = TopicPartition(CONTROL.name, 0)
    async for records in read_partition(options, control, offset, offset + 1, "read_uncommitted"):
        return int(records[0].timestamp)
    raise PraetorError(f"{CONTROL.name} holds no record at offset {offset}")
