"""What is away, in use or unreadable: each command says so in one line that names it and what to do."""

import json
import os
import shlex
import shutil
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


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs Linux's unshare: even root must not write")
@pytest.mark.parametrize("command", ["up -d --data", "ledger keys new --data"])
def test_a_folder_that_may_not_be_written(command: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "cli.main", *command.split(), str(tmp_path / "data")]
    mounted = f"mount -t tmpfs -o ro none {tmp_path} && exec {shlex.join(words)}"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("praetor: ") and str(tmp_path / "data") in line and "Read-only" in line
    assert "let this user write there, or name another folder" in line


@pytest.mark.parametrize(
    ("damaged", "said", "remedy"),
    [
        ("kafka/log/meta.properties", "node ID not found", "When Kafka is lost"),
        ("clickhouse/store", "ClickHouse cannot open", "restore"),
    ],
)
def test_data_that_is_damaged(damaged: str, said: str, remedy: str, tmp_path: Path) -> None:
    file = tmp_path / "data" / damaged
    file.parent.mkdir(parents=True)
    file.write_text("garbage")
    command = [sys.executable, "-m", "cli.main", "up", "-d", "--data", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert said in done.stderr and remedy in done.stderr and "docs/operations/backup.md" in done.stderr
    assert "Traceback" not in done.stderr and "\tat " not in done.stderr


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
