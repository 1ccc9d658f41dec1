"""Workers: told to stop they stop, and a death among them is told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.bundle import build_bundle
from tests.policies.builders import make_policy


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.json"
    path.write_bytes(build_bundle([make_policy([{"effect": "allow"}])]).json)
    return path


def start(bundle: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.backtest.endless", str(bundle), *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def children(group: int) -> Iterator[int]:
    """The processes of a group that are still there, but for zombies."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                yield int(entry.name)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_ends_all_of_it(bundle: Path, workers: str):
    running = start(bundle, workers)
    assert running.stdout is not None
    assert running.stdout.readline() == "1000\n"
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: everybody gets it
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1 and said.strip() == "interrupted"
    deadline = time.monotonic() + 30
    while left := list(children(running.pid)):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_worker_that_dies_is_told(bundle: Path):
    running = start(bundle, "2", "dies")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "a worker ended by itself (exit code 7)" in said
