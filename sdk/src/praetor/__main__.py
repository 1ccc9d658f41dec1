"""`python -m praetor resend FILE`: send what a client could not send and wrote to its spool.

Every event goes under its own number, in the file's order.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import fastavro

from praetor.buffer import Agent, Buffer, Event
from praetor.encoding import FIELDS, PREFIX
from praetor.errors import PraetorError
from praetor.options import Options
from praetor.sender import Sender
from praetor.spool import read_spool
from praetor.target import kafka_target
from praetor.worker import Worker

_NAMED = fastavro.parse_schema(
    {"type": "record", "name": "Named", "namespace": "praetor", "fields": FIELDS[:3]}
)


def main() -> None:
    """Exit code 0: all acknowledged, and FILE renamed to FILE.sent; 1: not all; 2: usage."""
    parser = argparse.ArgumentParser(prog="python -m praetor", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("resend", help="send a spool file's events")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--bootstrap", help="Kafka's host:port (default: PRAETOR_BOOTSTRAP)")
    command.add_argument("--topic", default="agent.actions")
    command.add_argument("--timeout", type=float, default=60.0, help="seconds (60)")
    given = parser.parse_args()
    try:
        count = resend(given.file, given.bootstrap, given.topic, given.timeout)
    except PraetorError as error:
        sys.exit(f"praetor: {error}")
    sys.stdout.write(f"{count} events acknowledged; the file is now {given.file}.sent\n")


def resend(file: Path, bootstrap: str | None, topic: str, timeout: float) -> int:
    """Send a spool file's events and rename it; returns how many. See docs/sdk.md for what may double.

    Raises:
        PraetorError: the file is damaged, or not all was acknowledged in so many seconds: the file stays.
    """
    agents: dict[tuple[str, str], Agent] = {}
    events = [Event(_agent(value, agents), value, False) for value in read_spool(file)]
    target, failures = kafka_target(bootstrap, Options(topic=topic), "praetor-sdk-resend")
    buffer = Buffer("", len(events) + 1, 1)
    worker = Worker(lambda: Sender(buffer, target.connect, failures, 0.0))
    buffer.requeue(events)
    worker.start()
    sent = buffer.drained(timeout)
    worker.stop()
    sender = worker.sender
    if not sent or (sender is not None and sender.rejected):
        error = sender.error if sender is not None else "the sender did not start"
        raise PraetorError(f"not all of the {len(events)} events of {file} are acknowledged: {error}")
    os.replace(file, f"{file}.sent")
    return len(events)


def _agent(value: bytes, agents: dict[tuple[str, str], Agent]) -> Agent:
    named = fastavro.schemaless_reader(io.BytesIO(value[len(PREFIX) :]), _NAMED, None)
    if not isinstance(named, dict):
        raise PraetorError(f"no event: {value[:16].hex()}")
    who = str(named["tenant"]), str(named["agent_id"])
    return agents.setdefault(who, Agent(*who))


if __name__ == "__main__":
    main()
