"""Chunks to workers, tallies back: a process each, any number of them coming to the same."""

import gc
import multiprocessing
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, Self

from cli.backtest.source import Chunk
from cli.backtest.work import Job, Judge
from judgement.tally import Tally
from runtime.errors import PraetorError, Unavailable

POLL_SECONDS = 0.5
STOP_SECONDS = 5.0

Advance = Callable[[int], None]


class Workers:
    """Some processes. They start at once, while whoever made them still looks for what they are to do.

    A context manager: at its end, also at Ctrl-C, all of them are gone.
    """

    def __init__(self, count: int) -> None:
        """Start so many; of one there is none, this process does its work."""
        context = multiprocessing.get_context("spawn")
        self.count = count
        self._jobs, self._tasks, self._answers = (context.Queue() for _ in range(3))
        wanted = count if count > 1 else 0
        self._processes = [
            context.Process(target=work, args=(self._jobs, self._tasks, self._answers), daemon=True)
            for _ in range(wanted)
        ]
        with _uninterrupted():
            for process in self._processes:
                process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _stop(self._processes)
        for channel in (self._jobs, self._tasks, self._answers):
            channel.cancel_join_thread()
            channel.close()

    def run(self, job: Job, chunks: Sequence[Chunk], advance: Advance) -> Tally:
        """Judge all chunks, once; `advance` is told how many more actions were judged.

        The result does not depend on the number of workers: chunks are what they are, and are added up in
        their order.

        Raises:
            PraetorError, Unavailable: as the places that are read; or a worker died.
        """
        total = Tally()
        if not self._processes:
            with Judge(job) as judge:
                for chunk in chunks:
                    total.merge(judge.run(chunk, advance))
            return total
        waiting: dict[int, Tally] = {}
        merged = 0
        for number, tally in self._results(job, chunks, advance):
            waiting[number] = tally
            while merged in waiting:
                total.merge(waiting.pop(merged))
                merged += 1
        return total

    def _results(self, job: Job, chunks: Sequence[Chunk], advance: Advance) -> Iterator[tuple[int, Tally]]:
        for task in enumerate(chunks):
            self._tasks.put(task)
        for _ in self._processes:
            self._jobs.put(job)
            self._tasks.put(None)
        left = len(chunks)
        while left:
            try:
                kind, *said = self._answers.get(timeout=POLL_SECONDS)
            except queue.Empty:
                _check(self._processes)
                continue
            if kind == "judged":
                advance(said[0])
            elif kind == "done":
                left -= 1
                yield said[0], said[1]
            else:
                raise Unavailable(said[0]) if kind == "unavailable" else PraetorError(said[0])


def work(jobs: Any, tasks: Any, answers: Any) -> None:
    """A worker: one job from one queue, chunks from another, tallies and what went wrong into a third."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    job = _next(jobs)
    if job is None:
        return
    try:
        with Judge(job) as judge:
            gc.freeze()
            while (task := _next(tasks)) is not None:
                number, chunk = task
                tally = judge.run(chunk, lambda count: answers.put(("judged", count)))
                answers.put(("done", number, tally))
    except Unavailable as error:
        answers.put(("unavailable", str(error)))
    except PraetorError as error:
        answers.put(("failed", str(error)))


def _next(of: Any) -> Any:
    """What comes next in a queue; None at its end, or once nobody waits for it any more."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        try:
            return of.get(timeout=STOP_SECONDS)
        except queue.Empty:
            continue
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
