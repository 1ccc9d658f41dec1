"""How a long-running command lives: its log, its health, until SIGTERM or SIGINT; a line at both ends."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Protocol

import structlog
import typer

from runtime import metrics
from runtime.endpoint import endpoint
from runtime.errors import PraetorError, Unavailable
from runtime.health import Health
from runtime.log import configure_log
from runtime.settings import Settings

log = structlog.get_logger()

BEAT_SECONDS = 1.0
STOP_SECONDS = 12.0


class Service(Protocol):
    """What runs until `stop` is set."""

    stop: asyncio.Event

    async def run(self) -> None:
        """Run until `stop` is set."""
        ...


@contextmanager
def worker(name: str, settings: Settings) -> Iterator[Health]:
    """Around the whole of a long-running command: JSON logs, /livez, /readyz, /metrics.

    What a person can mend ends it with one line in the log and exit code 1.
    """
    configure_log(settings.log_level)
    health = Health()
    try:
        with endpoint(health, settings.metrics_host, settings.metrics_port):
            yield health
    except (PraetorError, Unavailable) as error:
        log.error(f"{name} cannot go on", reason=str(error))
        raise typer.Exit(1) from error


def serve(name: str, service: Service, health: Health) -> None:
    """Run a service; a signal asks it to stop in good order. What it raises is passed on.

    A stop takes 12 s at most, whatever is silent; a second signal ends the process at once. Both leave what
    is under way to the next owner, as a kill would: nothing is lost by it.
    """
    asyncio.run(_serve(name, service, health))


async def _serve(name: str, service: Service, health: Health) -> None:
    loop = asyncio.get_running_loop()
    late = threading.Timer(STOP_SECONDS, _leave, (name, f"it did not stop within {STOP_SECONDS:g} s"))
    late.daemon = True

    def ask(_number: int, _frame: FrameType | None) -> None:
        # threads, since it may interrupt a line that is being logged, or a loop that stands still
        if late.ident is not None:
            threading.Thread(target=_leave, args=(name, "asked a second time")).start()
        else:
            late.start()
            loop.call_soon_threadsafe(service.stop.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    log.info(f"{name} starts")
    beating = loop.create_task(_beat(health))
    try:
        await service.run()
    finally:
        beating.cancel()
    log.info(f"{name} stopped")


async def _beat(health: Health) -> None:
    while True:
        health.beat()
        metrics.TASKS.set(len(asyncio.all_tasks()))
        await asyncio.sleep(BEAT_SECONDS)


def _leave(name: str, reason: str) -> NoReturn:
    """End the process without a word to the broker or ClickHouse."""
    log.warning(f"{name} left at once", reason=reason)
    sys.stderr.flush()
    os._exit(1)
