"""`python -m tests.delivery.child JSON`: forward as a process of its own, quick to try again."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import aiokafka.client

import consumers.forward
from cli.destination_files import outbound_of, read_destinations
from consumers.delivery.patience import Patience
from consumers.forward import Forward, Target
from runtime.settings import Settings
from sinks.registry import make_sink

QUICK = partial(Patience, first=0.1, longest=2.0, person=1.0)


def start(
    stage: Any, folder: Path, destinations: Sequence[dict[str, Any]], **more: Any
) -> "subprocess.Popen[bytes]":
    """Start one that delivers a stage's records."""
    path = folder / "destinations.yaml"
    path.write_text("\n---\n".join(map(json.dumps, destinations)))
    given = {
        "bootstrap": stage.options["bootstrap_servers"],
        "prefix": stage.prefix,
        "log_id": stage.log_id,
        "destinations": str(path),
        **more,
    }
    argv = [sys.executable, "-m", "tests.delivery.child", json.dumps(given)]
    with (folder / "forward.log").open("ab") as log:
        return subprocess.Popen(argv, stdout=log, stderr=log)


@contextmanager
def _redirected(broker: int, line: int) -> Iterator[None]:
    """What goes to the broker as a destination goes by way of the line."""
    create = aiokafka.client.create_conn

    async def redirect(host: str, port: int, **options: Any) -> Any:
        ours = options.get("client_id") == "praetor-forward" and port == broker
        return await create(host, line if ours else port, **options)

    with mock.patch("aiokafka.client.create_conn", redirect):
        yield


async def run(given: dict[str, Any]) -> None:
    """Deliver until told to stop."""
    settings = Settings(destinations=Path(given["destinations"]), bootstrap=given["bootstrap"])
    outbound = outbound_of(settings)
    targets = [Target(d, make_sink(d, outbound)) for d in read_destinations(settings)]
    options = {"bootstrap_servers": given["bootstrap"]}
    forward = Forward(options, targets, prefix=given["prefix"], log_id=given["log_id"])
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, forward.stop.set)
    await forward.run()


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    with (
        mock.patch.object(consumers.forward, "Patience", QUICK),
        _redirected(*wanted.get("redirect", (0, 0))),
        mock.patch("sinks.http.ANSWER_SECONDS", wanted.get("answer_seconds", 30.0)),
        mock.patch("sinks.syslog.SECONDS", wanted.get("answer_seconds", 15.0)),
    ):
        asyncio.run(run(wanted))
