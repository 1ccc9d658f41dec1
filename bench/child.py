"""A measured process: `python -m bench.child JOB` does one job and prints what it measured as one JSON line."""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bench.bare import drain_bare
from bench.drain import drain_govern
from bench.stack import Job, read_job

KINDS: dict[str, Callable[[Job], Awaitable[dict[str, Any]]]] = {
    "govern": drain_govern,
    "bare": drain_bare,
}


def main() -> None:
    """Do the job."""
    job = read_job(sys.argv[1])
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    print(json.dumps(asyncio.run(KINDS[job.kind](job))))


if __name__ == "__main__":
    main()
