"""The stack file: what `praetor up` says about itself to every other command."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.errors import PraetorError

STACK_FILE = "stack.json"

ServiceState = Literal[
    "waiting", "starting", "running", "restarting", "done", "failed", "stopped", "external"
]


class Process(BaseModel):
    """A process, told apart from a later one that was given the same id.

    `started` is opaque: it is only ever compared with what `started_at` gives for the same id.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    started: str

    def alive(self) -> bool:
        """True while this very process runs (a zombie does not run)."""
        return self.pid > 0 and started_at(self.pid) == self.started


class Service(BaseModel):
    """One line of `praetor status`. At `health_port` are its /livez, /readyz and /metrics; 0: it has none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    state: ServiceState
    process: Process | None = None
    restarts: int = 0
    detail: str = ""
    health_port: int = 0


class Stack(BaseModel):
    """What is written to DIR/stack.json (mode 0600: it carries the ClickHouse password).

    Addresses are those that clients use. `ready` turns true once every service answered and all
    one-time commands ended well. Unknown fields are ignored, so that an older command reads a newer file.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    supervisor: Process
    ready: bool
    bootstrap: str
    clickhouse_url: str
    clickhouse_user: str = "default"
    clickhouse_password: str = ""
    keys_dir: Path
    error: str = ""
    services: tuple[Service, ...] = ()

    def running(self) -> bool:
        """True while the supervisor that wrote this file lives."""
        return self.supervisor.alive()

    def runs(self, service: str) -> bool:
        """True if this service is one of the stack's own, not one that runs elsewhere."""
        return any(own.name == service for own in self.services)


def started_at(pid: int) -> str:
    """Return when process `pid` started, in a form only good for comparing; "" if it does not run.

    Source: field 22 of /proc/PID/stat (proc(5)), and `ps` where there is no /proc.
    """
    if sys.platform != "linux":
        shown = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return shown.stdout.strip()
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *fields = text.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]


def this_process(pid: int | None = None) -> Process:
    """Return the identity of process `pid` (default: the caller's own)."""
    number = os.getpid() if pid is None else pid
    return Process(pid=number, started=started_at(number))


def read_stack(data: Path) -> Stack | None:
    """Return what DIR/stack.json says, running or not; None where there is none.

    Raises:
        PraetorError: the file is not one of ours.
    """
    path = data / STACK_FILE
    try:
        return Stack.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise PraetorError(
            f"{path} is not a stack file ({error.error_count()} mistakes): delete it, then run `praetor up`"
        ) from error


def write_stack(data: Path, stack: Stack) -> None:
    """Replace DIR/stack.json atomically; a reader sees the old file or the new one, never a part."""
    write_private(data / STACK_FILE, json.dumps(stack.model_dump(mode="json"), indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically with mode 0600. It is not synced to disk: a power cut may lose it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(temporary, path)
