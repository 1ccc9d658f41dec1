"""What somebody asked to be tried, made ready: both sides, the chunks, what agent.control says."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from rich.progress import Progress

from cli.backtest.control import ControlLog, read_control
from cli.backtest.files import FileFormat, plan_file
from cli.backtest.kafka import plan_kafka
from cli.backtest.planning import plan_clickhouse
from cli.backtest.sides import Side, find_side
from cli.backtest.source import Chunk, Window
from cli.backtest.times import told, window_of
from cli.backtest.work import Job
from runtime.errors import PraetorError
from runtime.settings import Settings
from schemas.topics import CONTROL

NOT_READ = (
    f"{CONTROL.name} is not read: kills, quarantines, grants and the bundles of decisions are not known"
)


class Store(StrEnum):
    """Where stored actions are read."""

    clickhouse = "clickhouse"
    kafka = "kafka"


@dataclass(frozen=True)
class Asked:
    """The command line: options not given are empty."""

    candidate: str
    against: str
    file: str
    format: FileFormat
    store: Store
    since: str
    start: str
    end: str
    warm_up: str
    verify: bool


@dataclass(frozen=True)
class Ready:
    """What is to be run. `source` says in words where the actions come from."""

    old: Side
    new: Side
    job: Job
    chunks: Sequence[Chunk]
    source: str
    remarks: tuple[str, ...] = ()


class _Control:
    """agent.control, read at most once, where somebody asks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def log(self) -> ControlLog:
        return read_control(self._settings)


def make_ready(asked: Asked, settings: Settings, folder: Path, progress: Progress) -> Ready:
    """Read what must be known before anything is judged; `folder` is for files of its own.

    Raises:
        PraetorError: options contradict each other, the candidate has mistakes, the window is empty.
        Unavailable: Kafka or ClickHouse does not answer.
    """
    window = _window(asked)
    control = _Control(settings)
    new = find_side(asked.candidate, lambda: control.log)
    old = find_side(asked.against, lambda: control.log)
    sides = old.bundle.json, new.bundle.json
    if window is None:
        chunks = plan_file(asked.file, asked.format, folder, progress)
        return Ready(old, new, Job(*sides, 0, ControlLog()), chunks, f"actions of {asked.file}")
    known, remark = (control.log, "") if settings.bootstrap else (ControlLog(), NOT_READ)
    if remark and asked.verify:
        raise PraetorError(f"{NOT_READ}, so that nothing can be verified: set PRAETOR_BOOTSTRAP")
    stored, bundles, cut = _plan(asked, settings, window, known)
    job = Job(*sides, window.since, replace(known, bundles=bundles), asked.verify)
    where = f"received from {told(window.since)} to before {told(window.until)}"
    remarks = tuple(text for text in (remark, cut) if text)
    return Ready(old, new, job, stored, f"actions {where}, from {asked.store.value}", remarks)


def _plan(
    asked: Asked, settings: Settings, window: Window, known: ControlLog
) -> tuple[Sequence[Chunk], dict[str, bytes], str]:
    """The chunks, the bundles that decisions in them may name, and what is missing."""
    if asked.store is Store.kafka:
        partitions = plan_kafka(settings, window)
        cut = sum(partition.cut for partition in partitions)
        gone = f"retention has removed the window's beginning from {cut} partitions in Kafka" if cut else ""
        return partitions, known.bundles, gone
    plan = plan_clickhouse(settings, window, asked.verify, known.log_id)
    return plan.chunks, {d: packed for d, packed in known.bundles.items() if d in plan.bundles}, ""


def _window(asked: Asked) -> Window | None:
    if not asked.file:
        now = time.time_ns() // 1_000_000
        return window_of(asked.since, asked.start, asked.end, asked.warm_up, now)
    if asked.since or asked.start or asked.end or asked.warm_up:
        raise PraetorError("a file is tried whole: leave out --since, --from, --to and --warm-up")
    if asked.verify:
        raise PraetorError("--verify compares with recorded decisions, and a file holds actions alone")
    return None
