"""`praetor doctor` on a running stack: quiet when all is well, and it names each thing that is not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.stack import read_stack

PRAETOR = [sys.executable, "-m", "cli.main"]
Report = dict[str, list[dict[str, str]]]


def praetor(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PRAETOR_")}
    return subprocess.run(
        [*PRAETOR, *map(str, arguments)],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=150,
    )


def examine(data: Path, **environment: str) -> tuple[int, Report]:
    done = praetor("doctor", "--json", "--data", data, **environment)
    assert "Traceback" not in done.stderr, done.stderr
    report: Report = {}
    for check in json.loads(done.stdout):
        report.setdefault(check["name"], []).append(check)
    return done.returncode, report


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("doctor")
    started = praetor("up", "-d", "--data", folder)
    assert started.returncode == 0, started.stderr
    sent = praetor("simulate", "--count", "500", "--agents", "20", "--wait", "--data", folder)
    assert sent.returncode == 0, sent.stderr
    yield folder
    praetor("down", "--data", folder)


def test_a_stack_in_good_health(data: Path) -> None:
    code, report = examine(data)
    states = {name: {check["state"] for check in checks} for name, checks in report.items()}
    assert code == 0, report
    assert states.pop("brokers") == {"warning"}
    states.pop("disk"), states.pop("clickhouse disk")  # this machine's own
    assert all(state == {"ok"} for state in states.values()), report
    assert {"settings", "keys", "topics", "log", "policies", "lag", "clock", "govern", "archive"} <= set(
        states
    )


def test_each_ailment_is_named_with_what_to_do(data: Path) -> None:
    stack = read_stack(data)
    assert stack is not None
    key = stack.keys_dir / "ledger.key"
    key.chmod(0o644)
    try:
        code, report = examine(data, PRAETOR_LOGLEVEL="debug", PRAETOR_TOPIC_PREFIX="other-")
    finally:
        key.chmod(0o600)
    assert code == 1
    assert "did you mean PRAETOR_LOG_LEVEL" in report["settings"][0]["found"]
    assert "ledger.key" in report["keys"][0]["found"] and "chmod 600" in report["keys"][0]["remedy"]
    assert "other-agent.decisions" in report["topics"][0]["found"]
    assert "praetor topics create" in report["topics"][0]["remedy"]
    assert "praetor govern" in report["govern"][0]["remedy"]


def test_what_does_not_answer_fails_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    nowhere = {"PRAETOR_BOOTSTRAP": "127.0.0.1:1", "PRAETOR_CLICKHOUSE_URL": "http://127.0.0.1:1"}
    code, report = examine(tmp_path, **nowhere)
    assert code == 1
    assert [check["state"] for check in report["kafka"]] == ["failed"]
    assert [check["state"] for check in report["clickhouse"]] == ["failed"]
    assert "127.0.0.1:1" in report["kafka"][0]["found"]
