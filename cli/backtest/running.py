"""Chunks to workers, tallies back: a process each, any number of them coming to the same."""

import multiprocessing
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from typing import Any

from cli.backtest.source import Chunk
from cli.backtest.work import Job, Judge
from judgement.tally import Tally
from runtime.errors import PraetorError, Unavailable

POLL_SECONDS = 0.5
STOP_SECONDS = 5.0

Advance = Callable[[int], None]
Number = tuple[int, Chunk]


def run(job: Job, chunks: Sequence[Chunk], workers: int, advance: Advance) -> Tally:
    """Judge all chunks; `advance` is told how many more actions were judged.

    The result does not depend on `workers`: chunks are what they are, and are added up in their order.

    Raises:
        PraetorError, Unavailable: as the places that are read; or a worker died.
        KeyboardInterrupt: all workers are gone by then.
    """
    total = Tally()
    if min(workers, len(chunks)) <= 1:
        judge = Judge(job)
        for chunk in chunks:
            total.merge(judge.run(chunk, advance))
        return total
    waiting: dict[int, Tally] = {}
    merged = 0
    for number, tally in _results(job, chunks, workers, advance):
        waiting[number] = tally
        while merged in waiting:
            total.merge(waiting.pop(merged))
            merged += 1
    return total


def _results(
    job: Job, chunks: Sequence[Chunk], workers: int, advance: Advance
) -> Iterator[tuple[int, Tally]]:
    context = multiprocessing.get_context("spawn")
    tasks, answers = context.Queue(), context.Queue()
    for task in enumerate(chunks):
        tasks.put(task)
    workers = min(workers, len(chunks))
    for _ in range(workers):
        tasks.put(None)
    processes = [
        context.Process(target=work, args=(job, tasks, answers), daemon=True) for _ in range(workers)
    ]
    try:
        with _uninterrupted():
            for process in processes:
                process.start()
        left = len(chunks)
        while left:
            try:
                kind, *said = answers.get(timeout=POLL_SECONDS)
            except queue.Empty:
                _check(processes)
                continue
            if kind == "judged":
                advance(said[0])
            elif kind == "done":
                left -= 1
                yield said[0], said[1]
            else:
                raise Unavailable(said[0]) if kind == "unavailable" else PraetorError(said[0])
    finally:
        _stop(processes)
        for channel in (tasks, answers):
            channel.cancel_join_thread()
            channel.close()


def work(job: Job, tasks: Any, answers: Any) -> None:
    """A worker: takes chunks from one queue, puts tallies and what went wrong into another."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    try:
        judge = Judge(job)
        while (task := _next(tasks)) is not None:
            number, chunk = task
            answers.put(("done", number, judge.run(chunk, lambda count: answers.put(("judged", count)))))
    except Unavailable as error:
        answers.put(("unavailable", str(error)))
    except PraetorError as error:
        answers.put(("failed", str(error)))


def _next(tasks: Any) -> Number | None:
    """The next chunk; None at the end, or once nobody waits for it any more."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        try:
            task: Number | None = tasks.get(timeout=STOP_SECONDS)
        except queue.Empty:
            continue
        return task
    return None


def _check(processes: Sequence[SpawnProcess]) -> None:
    for process in processes:
        if process.exitcode:
            raise PraetorError(
                f"a worker ended by itself (exit code {process.exitcode}): if the system killed it for its"
                " memory, take fewer: --workers 1"
            )


def _stop(processes: Sequence[SpawnProcess]) -> None:
    started = [process for process in processes if process.pid is not None]
    for process in started:
        process.terminate()
    for process in started:
        process.join(STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What is started meanwhile does not hear Ctrl-C from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
