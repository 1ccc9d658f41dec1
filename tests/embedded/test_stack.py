"""The stack from the outside: real services under a supervisor of their own, without Praetor's commands."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

from cli.stack import bring_down, bring_up, make_plan
from cli.up import down, logs, status, up
from runtime.embedded.process import http_answers, kafka_answers
from runtime.errors import PraetorError
from runtime.settings import load_settings
from runtime.stack import Process, Stack, read_stack
from tests.embedded.test_kafka import create, produce, read


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    bring_down(tmp_path)


def start(data: Path) -> Stack:
    return bring_up(data, make_plan(load_settings(data)), Console(quiet=True))


def processes(data: Path) -> dict[str, Process]:
    stack = read_stack(data)
    assert stack is not None
    return {service.name: service.process for service in stack.services if service.process}


def eventually(reached: Callable[[], bool]) -> None:
    for _ in range(3000):
        if reached():
            return
        time.sleep(0.02)
    pytest.fail("it never came")


def client(data: Path) -> clickhouse_connect.driver.client.Client:
    found = load_settings(data)
    password = found.clickhouse_password.get_secret_value()
    return clickhouse_connect.get_client(dsn=found.clickhouse_url, username="default", password=password)


async def test_a_stack_outlives_what_happens_to_it(data: Path) -> None:
    stack = start(data)
    await create(stack.bootstrap, "t")
    await produce(stack.bootstrap, "t", b"kept")
    client(data).command("CREATE TABLE t ENGINE = MergeTree ORDER BY a AS SELECT 1 AS a")

    killed = processes(data)
    for name, process in killed.items():
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda name=name, process=process: processes(data).get(name, process) != process)
    eventually(lambda: {s.state for s in status_of(data).services} == {"running"})
    assert [service.restarts for service in status_of(data).services] == [1, 1]
    assert await read(stack.bootstrap, "t") == [b"kept"]
    assert client(data).command("SELECT a FROM t") == 1

    left = processes(data)
    os.kill(stack.supervisor.pid, signal.SIGKILL)
    eventually(lambda: not any(process.alive() for process in left.values()))
    again = start(data)
    assert (again.bootstrap, again.clickhouse_url) == (stack.bootstrap, stack.clickhouse_url)
    assert await read(again.bootstrap, "t") == [b"kept"]
    assert client(data).command("SELECT a FROM t") == 1

    left = processes(data)
    assert bring_down(data)
    assert not any(process.alive() for process in left.values())
    assert not bring_down(data)


def status_of(data: Path) -> Stack:
    stack = read_stack(data)
    assert stack is not None
    return stack


def test_services_elsewhere_are_used_and_not_started(data: Path, broker: str, clickhouse: str) -> None:
    app = Typer()
    for command in (up, down, status, logs):
        app.command()(command)
    plan = make_plan(load_settings(data), bootstrap=broker, clickhouse=clickhouse)
    assert (plan.kafka_port, plan.clickhouse_port) == (0, 0)
    bring_up(data, plan, Console(quiet=True))
    shown = CliRunner().invoke(app, ["status", "--json", "--data", str(data)])
    assert shown.exit_code == 0
    assert json.loads(shown.output)["bootstrap"] == broker
    assert "password" not in shown.output
    assert "ready" in CliRunner().invoke(app, ["logs", "supervisor", "--data", str(data)]).output
    assert CliRunner().invoke(app, ["down", "--data", str(data)]).output == "stopped\n"
    assert CliRunner().invoke(app, ["status", "--data", str(data)]).exit_code == 1
    assert kafka_answers(int(broker.rpartition(":")[2]))
    assert http_answers(int(clickhouse.rpartition(":")[2]))


def test_a_port_in_use_is_named(data: Path, broker: str) -> None:
    port = int(broker.rpartition(":")[2])
    with pytest.raises(PraetorError, match=rf"port {port} is in use.*--kafka-port"):
        bring_up(data, make_plan(load_settings(data), kafka_port=port), Console(quiet=True))
    assert not (data / "stack.json").exists()


def test_a_missing_extra_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.stack.EXTRA", ("chdb", "no_such_module"))
    with pytest.raises(PraetorError, match=r"^no_such_module not installed: .*`embedded` extra"):
        start(data)
