"""A backtest without an end, for whoever interrupts it: `python -m tests.backtest.endless BUNDLE WORKERS`."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.backtest.control import ControlLog
from cli.backtest.running import Workers
from cli.backtest.source import Kept
from cli.backtest.work import Job
from judgement.recorded import Recorded
from tests.policies.builders import make_action


@dataclass(frozen=True)
class Endless:
    """One agent that never stops; or, where `dies`, takes the process with it."""

    dies: bool = False
    actions: int = 1

    @contextmanager
    def open(self, kept: Kept) -> Iterator["Endless"]:
        yield self

    grouped = False

    def stored(self) -> Iterator[Recorded]:
        at = 0
        while True:
            at += 1
            if self.dies and at > 5_000:
                sys.exit(7)
            yield Recorded(make_action(at), None, -1, at)

    def begin(self, first: Recorded) -> Mapping[str, bytes]:
        return {}

    def unremembered(self) -> int:
        return 0


def main() -> None:
    bundle = Path(sys.argv[1]).read_bytes()
    chunks = [Endless(sys.argv[3:] == ["dies"])] * 4
    job = Job(bundle, bundle, 0, ControlLog())
    try:
        with Workers(int(sys.argv[2])) as workers:
            workers.run(job, chunks, lambda count: print(count, flush=True))
    except KeyboardInterrupt:
        sys.exit("interrupted")


if __name__ == "__main__":
    main()
