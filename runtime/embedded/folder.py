"""A stack's folder belongs to one supervisor: its lock, and what an earlier one has left."""

import fcntl
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from runtime.embedded.process import rotate
from runtime.errors import PraetorError
from runtime.stack import read_stack

TICK = 0.05


def lock(data: Path) -> IO[str]:
    """Take the folder's lock; it is held until the file is closed.

    Raises:
        PraetorError: another supervisor has it.
    """
    file = open(data / "supervisor.lock", "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise PraetorError(
            f"a stack already runs in {data}: see `praetor status --data {data}`, "
            f"or stop it with `praetor down --data {data}`"
        ) from error
    return file


def end_stale(data: Path) -> None:
    """Kill what a supervisor that was killed has left behind; call it with the lock held."""
    stack = read_stack(data)
    left = (
        [service for service in stack.services if service.process and service.process.alive()]
        if stack
        else []
    )
    for service in left:
        if service.process is not None:
            say(f"{service.name}: left behind by an earlier supervisor, ended")
            os.killpg(service.process.pid, signal.SIGKILL)
            while service.process.alive():
                time.sleep(TICK)


def say(text: str) -> None:
    """Print a line with the time."""
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text.strip()}", flush=True)


def detach(log: Path) -> None:
    """Go on in a process that nobody waits for, in a session of its own, its output appended to `log`.

    The process that was started prints the id of the one that goes on, and exits with 0.
    """
    pid = os.fork()
    if pid:
        print(pid, flush=True)
        os._exit(0)
    os.setsid()
    log.parent.mkdir(parents=True, exist_ok=True)
    rotate(log)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
