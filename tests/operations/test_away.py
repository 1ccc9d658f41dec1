"""What is away, in use or unreadable: each command says so in one line that names it and what to do."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = {"PRAETOR_BOOTSTRAP": "127.0.0.1:1", "PRAETOR_CLICKHOUSE_URL": "http://127.0.0.1:1"}
ACTION = (
    '{"event_id": "4e0f9f4e-8b0a-4b43-9a5e-0f6d3f1c2b7a", "tenant": "acme", "agent_id": "coder-1",'
    ' "occurred_at": "2026-11-20T12:00:00Z", "action": "read:file", "resource": "/a"}\n'
)


def refused(*arguments: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that cannot do its work; return the one line that it says (a worker: in its log)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PRAETOR_")}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        env={**clean, **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        input=ACTION,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    bars = ("checking", "publishing")  # progress, where there was any
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith(bars)]
    assert len(lines) == 1, done.stderr
    if arguments[0] in ("govern", "archive"):
        return str(json.loads(lines[0])["reason"])
    assert lines[0].startswith("praetor: "), done.stderr
    return lines[0]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    made = subprocess.run(
        [sys.executable, "-m", "cli.main", "ledger", "keys", "new", "--data", tmp_path / "data"],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "data" / "keys"
    (folder / "control.pub").write_bytes((folder / "ledger.pub").read_bytes())
    (folder / "control.key").write_bytes((folder / "ledger.key").read_bytes())
    (folder / "control.key").chmod(0o600)
    return folder


@pytest.mark.parametrize(
    "command",
    [
        "topics show",
        "policy publish",
        "ledger verify --from kafka",
        "dead-letters list",
        "replay -",
    ],
)
def test_no_broker(command: str, keys: Path, tmp_path: Path) -> None:
    line = refused(*command.split(), cwd=tmp_path, PRAETOR_KEYS_DIR=str(keys), **NOWHERE)
    assert "127.0.0.1:1" in line and "answer" in line


@pytest.mark.parametrize(
    "command", ["query SELECT+1", "db migrate", "db status", "ledger verify --from clickhouse"]
)
def test_no_clickhouse(command: str, keys: Path, tmp_path: Path) -> None:
    words = [word.replace("+", " ") for word in command.split()]
    line = refused(*words, cwd=tmp_path, PRAETOR_KEYS_DIR=str(keys), **NOWHERE)
    assert "ClickHouse at http://127.0.0.1:1 does not answer" in line


@pytest.mark.parametrize("command", ["topics show", "query SELECT", "archive", "govern"])
def test_nothing_is_set(command: str, tmp_path: Path) -> None:
    line = refused(*command.split(), cwd=tmp_path)
    assert "praetor up -d" in line and "PRAETOR_" in line


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = refused("up", "-d", "--data", tmp_path / "file" / "data", cwd=tmp_path)
    assert str(tmp_path / "file") in line


def test_a_port_that_somebody_has(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused("up", "-d", "--data", tmp_path / "data", "--kafka-port", str(port), cwd=tmp_path)
    assert str(port) in line


@pytest.mark.parametrize("damage", ["", "not a key", "PRIVATE+KEY+x+00000000+AAAA"])
def test_a_key_that_is_none(damage: str, keys: Path, tmp_path: Path) -> None:
    (keys / "ledger.key").write_text(damage)
    line = refused("govern", cwd=tmp_path, PRAETOR_KEYS_DIR=str(keys), **NOWHERE)
    assert str(keys / "ledger.key") in line
    assert not damage or damage not in line


def test_a_stack_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stack.json").write_text("{")
    line = refused("status", "--data", tmp_path / "data", cwd=tmp_path)
    assert "stack.json" in line and "delete" in line
