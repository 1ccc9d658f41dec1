"""From a producer's call to ClickHouse: what was acknowledged is there, what was not was reported.

On the stack as `praetor up` starts it: broker, govern, archive, ClickHouse.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.settings import Settings, load_settings
from runtime.stack import read_stack
from sinks.connection import connect
from tests.sdk.helpers import CLOSING, Actions, eventually, finish, read_text

PRAETOR = [sys.executable, "-m", "cli.main"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    data = tmp_path_factory.mktemp("stack")
    try:
        up = subprocess.run(
            [*PRAETOR, "up", "-d", "--data", data], capture_output=True, text=True, timeout=180
        )
        assert up.returncode == 0, up.stdout + up.stderr
        yield load_settings(data)
    finally:
        subprocess.run([*PRAETOR, "down", "--data", data], capture_output=True, timeout=120, check=False)


class Archived:
    """What ClickHouse holds of a producer."""

    def __init__(self, settings: Settings) -> None:
        self._client = connect(settings)

    def rows(self, producer: str) -> list[tuple[Any, ...]]:
        sql = (
            "SELECT producer_seq, action, duplicate_of FROM decisions"
            f" WHERE producer_id = '{producer}' ORDER BY producer_seq, seq"
        )
        return [tuple(row) for row in self._client.query(sql).result_rows]

    def numbers(self, producer: str) -> list[int]:
        return [row[0] for row in self.rows(producer)]

    def wait(self, producer: str, count: int) -> None:
        eventually(lambda: len(set(self.numbers(producer))) >= count, f"{count} rows of {producer}")


def test_what_was_acknowledged_is_in_clickhouse_and_what_was_not_is_reported(
    settings: Settings, tmp_path: Path
):
    actions, archived = Actions(settings.bootstrap), Archived(settings)
    actions.name = "agent.actions"

    with actions.client(producer_id="whole") as client:
        for i in range(500):
            client.action("read:file", f"/{i}", tool="read_file", arguments={"path": f"/{i}"})
    assert client.report.acknowledged == 501
    archived.wait("whole", 501)
    assert archived.numbers("whole") == list(range(501))
    assert archived.rows("whole")[-1][1] == CLOSING

    told = tmp_path / "told"
    body = f"""
client = Praetor(**where, producer_id="killed")
for i in range(10**9):
    client.action("read:file", str(i))
    if i % 100 == 99:
        with open({str(told)!r} + ".new", "w") as file: file.write(str(client.flush().acknowledged))
        os.replace({str(told)!r} + ".new", {str(told)!r})
"""
    process = actions.script(body)
    eventually(lambda: int(read_text(told) or 0) > 300, "some acknowledgements")
    process.kill()
    process.communicate()
    acknowledged = int(read_text(told))
    archived.wait("killed", acknowledged)
    found = archived.numbers("killed")
    assert found == list(range(len(found))) and len(found) >= acknowledged

    spool = tmp_path / "spool"
    body = f"""
client = Praetor(**where, producer_id="cut", exit_timeout=1, request_timeout=1, spool={str(spool)!r})
for i in range(50): client.action("read:file", str(i))
assert client.flush().acknowledged == 50
print("now", flush=True); sys.stdin.readline()
for i in range(50): client.action("read:file", str(i))
"""
    process = actions.script(body)
    assert process.stdout is not None and process.stdout.readline() == "now\n"
    stack = read_stack(settings.data)
    assert stack is not None
    (broker,) = [s.process.pid for s in stack.services if s.name == "kafka" and s.process]
    os.kill(broker, signal.SIGSTOP)
    try:
        _, err = finish(process)
    finally:
        os.kill(broker, signal.SIGCONT)
    assert "50 events acknowledged, 51 not" in err and f"unsent events are in {spool}" in err
    archived.wait("cut", 50)

    resend = [sys.executable, "-m", "praetor", "resend", spool, "--bootstrap", settings.bootstrap]
    done = subprocess.run(resend, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    archived.wait("cut", 101)
    rows = archived.rows("cut")
    assert sorted({row[0] for row in rows}) == list(range(101))
    doubled = [row for row in rows if row[2] is not None]
    assert len(rows) - len(doubled) == 101 and len(doubled) <= 51, "what came twice is marked"
