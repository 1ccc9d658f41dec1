"""A measured process: `python -m bench.child JOB` does one job and prints what it found as a line of JSON."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from bench.backtest import try_candidate
from bench.bare import drain_bare
from bench.drain import drain_govern
from bench.remember import judge_among, remember
from bench.rows import archive, dump, insert
from bench.stack import Job, quiet, read_job
from bench.swap import swap
from bench.traffic import produce, read

KINDS: dict[str, Callable[[Job], Coroutine[Any, Any, dict[str, Any]]]] = {
    "govern": drain_govern,
    "bare": drain_bare,
    "agents": judge_among,
    "remember": remember,
    "archive": archive,
    "dump": dump,
    "insert": insert,
    "produce": produce,
    "read": read,
    "swap": swap,
    "backtest": try_candidate,
}


def main() -> None:
    """Do the job."""
    job = read_job(sys.argv[1])
    quiet()
    print(json.dumps(asyncio.run(KINDS[job.kind](job))))


if __name__ == "__main__":
    main()
