"""Child processes that never outlive their parent, and the ports they listen on."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime.errors import PraetorError

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
LOG_BYTES = 8 * 1024 * 1024
FRAME = re.compile(r"\s|Traceback \(most recent call last\)")


def spawn(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start a command whose output is appended to `log`; on Linux it dies when the caller's process dies.

    Call it from the main thread: Linux ties the child to the life of the *thread* that starts it.
    A log above 8 MiB is first moved to NAME.1; `cut` keeps it small while the command runs.
    """
    parent = os.getpid()
    log.parent.mkdir(parents=True, exist_ok=True)
    rotate(log)
    with open(log, "ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            preexec_fn=lambda: die_with(parent),
        )


def die_with(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies (Linux only; elsewhere nothing happens)."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def rotate(log: Path, limit: int = LOG_BYTES) -> None:
    """Move a log above `limit` bytes to NAME.1, over an older one."""
    if log.exists() and log.stat().st_size > limit:
        log.replace(log.with_name(log.name + ".1"))


def cut(log: Path, limit: int = LOG_BYTES) -> None:
    """Copy a log above `limit` bytes to NAME.1 and empty it, under a process that goes on appending to it.

    Lines written between the copy and the emptying are lost.
    """
    if log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(log.name + ".1"))
        os.truncate(log, 0)


def free_port(but: int = 0) -> int:
    """Return a port of 127.0.0.1 that is free now, another one than `but`; nothing reserves it."""
    port = but
    while port == but:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    return port


def port_gets_free(port: int, seconds: float) -> bool:
    """True once a server could listen on 127.0.0.1:port; waits so long, for a process that is just ending."""
    deadline = time.monotonic() + seconds
    while not _port_is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def kafka_answers(port: int) -> bool:
    """True if a broker answers an ApiVersions request (key 18, version 0) on 127.0.0.1:port."""
    request = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.sendall(request)
            return connection.recv(4) != b""
    except OSError:
        return False


def http_answers(port: int, path: str = "/ping") -> bool:
    """True if an HTTP server on 127.0.0.1:port answers 200 to GET `path`."""
    request = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.sendall(request)
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, timeout: float
) -> None:
    """Return once `ready()`; both are looked at every 20 ms.

    Raises:
        PraetorError: the process ended first, or `timeout` seconds passed; with the end of its log.
    """
    deadline = time.monotonic() + timeout
    while not ready():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            what = f"ended with code {process.returncode}" if ended else f"is not ready after {timeout:.0f} s"
            raise PraetorError(f"{log.stem} {what}; the end of {log}:\n{last_words(log)}")
        time.sleep(0.02)


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log file, "" if there is none."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def last_words(log: Path) -> str:
    """The tail of a log without the lines of stack traces: what was said, not where."""
    lines = tail(log, 40).splitlines()
    return "\n".join([line for line in lines if line and not FRAME.match(line)][-15:])


def end(process: subprocess.Popen[bytes], patience: float) -> int:
    """Ask a process to stop, kill it if it has not after `patience` seconds; return its exit code."""
    process.terminate()
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
