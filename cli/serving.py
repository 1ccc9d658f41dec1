"""How a long-running command lives: until SIGTERM or SIGINT, with a line in the log at both ends."""

import asyncio
import signal
from typing import Protocol

import structlog

log = structlog.get_logger()


class Service(Protocol):
    """What runs until `stop` is set."""

    stop: asyncio.Event

    async def run(self) -> None:
        """Run until `stop` is set."""
        ...


def serve(name: str, service: Service) -> None:
    """Run a service; a signal asks it to stop in good order. What it raises is passed on."""
    asyncio.run(_serve(name, service))


async def _serve(name: str, service: Service) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop.set)
    log.info(f"{name} starts")
    await service.run()
    log.info(f"{name} stopped")
