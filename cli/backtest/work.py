"""What one worker does: judge chunks, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from cli.backtest.control import ControlLog, Stood
from cli.backtest.source import Chunk, Kept
from judgement.backtest import Backtest, Course
from judgement.rules import Rules, compile_rules
from judgement.tally import Tally
from policies.bundle import Bundle, load_bundle, unpack_bundle
from policies.cel import BadCondition
from runtime.errors import PraetorError

TOLD_EVERY = 1_000


@dataclass(frozen=True)
class Job:
    """What is tried; travels to workers.

    Attributes:
        old: the JSON of the bundle that is compared with.
        new: of the one that is tried.
        since: from which `received_at` on, in milliseconds.
        control: what agent.control holds; of its bundles those that decisions name.
        verify: whether recorded verdicts are compared, too.
    """

    old: bytes = field(repr=False)
    new: bytes = field(repr=False)
    since: int
    control: ControlLog
    verify: bool = False


class Judge:
    """Judges chunks. Compiles each bundle once. A context manager: connections are kept until its end."""

    def __init__(self, job: Job) -> None:
        """Compile both sides.

        Raises:
            PraetorError: a condition does not compile.
        """
        self._job = job
        self._old, self._new = (_compiled(load_bundle(side)) for side in (job.old, job.new))
        self._stood = Stood(job.control.orders)
        self._recorded: dict[str, Rules | None] = {}
        self._kept = Kept()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.__exit__(kind, error, trace)

    def run(self, chunk: Chunk, advance: Callable[[int], None]) -> Tally:
        """Judge a chunk; `advance` is told how many more were judged."""
        with chunk.open(self._kept) as feed:
            backtest = Backtest(
                Course(
                    self._old,
                    self._new,
                    self._rules,
                    self._stood.at,
                    feed.begin,
                    self._job.since,
                    self._job.verify,
                    feed.grouped,
                )
            )
            judge, count = backtest.judge, 0
            for stored in feed.stored():
                judge(stored)
                count += 1
                if count == TOLD_EVERY:
                    advance(count)
                    count = 0
            advance(count)
            tally = backtest.finish()
            tally.unremembered = feed.unremembered()
        return tally

    def _rules(self, digest: str) -> Rules | None:
        if digest not in self._recorded:
            packed = self._job.control.bundles.get(digest)
            self._recorded[digest] = None if packed is None else _compiled(unpack_bundle(packed))
        return self._recorded[digest]


def _compiled(bundle: Bundle) -> Rules:
    try:
        return compile_rules(bundle)
    except BadCondition as error:
        raise PraetorError(f"{bundle.digest} does not compile: {error}") from error
