"""The supervisor, with commands that do nothing but live, die and leave traces."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.embedded.plan import Command, Plan, python_module, write_plan
from runtime.embedded.process import free_port
from runtime.stack import Process, Stack, read_stack

LIVE = (sys.executable, "-c", "import time; time.sleep(600)")
HEALTHY = """
import sys
sys.path.insert(0, {root!r})
import os, time
from runtime.endpoint import endpoint
from runtime.health import Check, Health
health = Health(stuck_seconds=0.5)
began = time.monotonic()
health.check("partitions", lambda: Check(time.monotonic() - began > 1.5, {{"joined": False}}))
with endpoint(health, os.environ["PRAETOR_METRICS_HOST"], int(os.environ["PRAETOR_METRICS_PORT"])):
    while not os.path.exists({stop!r}):
        health.beat()
        time.sleep(0.05)
    os.remove({stop!r})
    time.sleep(600)
"""
DEAF = (sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)")


class Stage:
    """A folder, and the supervisors that were started on it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.output = data / "output"
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *commands: Command) -> subprocess.Popen[bytes]:
        write_plan(
            self.data,
            Plan(
                bootstrap="kafka:1",
                clickhouse_url="http://ch:1",
                keys_dir=self.data,
                stop_seconds=0.5,
                liveness_seconds=1.0,
                commands=commands,
            ),
        )
        argv = python_module("runtime.embedded.supervisor", str(self.data))
        with open(self.output, "a") as output:
            self.started.append(subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT))
        return self.started[-1]

    def ready(self, *commands: Command) -> subprocess.Popen[bytes]:
        supervisor = self.start(*commands)
        eventually(lambda: self.is_ready(supervisor) or supervisor.poll() is not None)
        assert self.is_ready(supervisor), self.output.read_text()
        return supervisor

    def is_ready(self, supervisor: subprocess.Popen[bytes]) -> bool:
        stack = read_stack(self.data)
        return stack is not None and stack.supervisor.pid == supervisor.pid and stack.ready

    def stack(self) -> Stack:
        stack = read_stack(self.data)
        assert stack is not None
        return stack

    def process(self, name: str) -> Process:
        found = [service.process for service in self.stack().services if service.name == name]
        assert found[0] is not None
        return found[0]


def eventually(reached: Callable[[], bool]) -> None:
    for _ in range(1500):
        if reached():
            return
        time.sleep(0.02)
    pytest.fail("it never came")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    for supervisor in made.started:
        supervisor.terminate()
        supervisor.wait()


def test_commands_run_in_order_with_the_stack_in_their_environment(stage: Stage) -> None:
    write = "import os; open('{0}', 'a').write('{1} ' + os.environ['PRAETOR_BOOTSTRAP'] + chr(10))"
    trace = stage.data / "trace"
    once = [
        Command(name=n, argv=(sys.executable, "-c", write.format(trace, n)), once=True)
        for n in ("one", "two")
    ]
    live = (sys.executable, "-c", write.format(trace, "live") + "; import time; time.sleep(600)")
    supervisor = stage.ready(*once, Command(name="live", argv=live))
    eventually(lambda: trace.read_text().count("\n") == 3)
    assert trace.read_text().splitlines() == ["one kafka:1", "two kafka:1", "live kafka:1"]
    assert [service.state for service in stage.stack().services] == ["done", "done", "running"]
    assert os.stat(stage.data / "stack.json").st_mode & 0o777 == 0o600
    supervisor.terminate()
    assert supervisor.wait() == 0
    assert stage.stack().services[2].state == "stopped"
    assert not stage.stack().ready


def test_a_one_time_command_waits_for_what_it_names_only(stage: Stage) -> None:
    trace = stage.data / "second was here"
    wait = f"import os, time\nwhile not os.path.exists({str(trace)!r}): time.sleep(0.01)"
    first = (sys.executable, "-c", wait)
    second = (sys.executable, "-c", f"open({str(trace)!r}, 'w')")
    stage.ready(
        Command(name="first", argv=first, once=True, after=("kafka",)),
        Command(name="second", argv=second, once=True, after=()),
        Command(name="third", argv=(sys.executable, "-c", "pass"), once=True, after=("first", "second")),
    )
    assert [service.state for service in stage.stack().services] == ["done", "done", "done"]


def test_what_is_killed_starts_again(stage: Stage) -> None:
    stage.ready(Command(name="live", argv=LIVE), Command(name="other", argv=LIVE))
    first, other = stage.process("live"), stage.process("other")
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: stage.stack().services[0].restarts == 1)
    eventually(lambda: stage.stack().services[0].state == "running")
    assert stage.process("live") != first
    assert stage.process("other") == other
    assert "SIGKILL" in stage.stack().services[0].detail


def test_a_worker_is_ready_when_it_says_so_and_starts_again_when_it_stands_still(stage: Stage) -> None:
    halt = stage.data / "halt"
    code = HEALTHY.format(root=str(Path(__file__).parents[2]), stop=str(halt))
    began = time.monotonic()
    stage.ready(Command(name="live", argv=(sys.executable, "-c", code), health_port=free_port()))
    assert time.monotonic() - began > 1.5

    first = stage.process("live")
    os.kill(first.pid, signal.SIGSTOP)
    eventually(lambda: stage.stack().services[0].restarts == 1)
    eventually(lambda: stage.stack().services[0].state == "running")
    assert "no answer" in stage.stack().services[0].detail
    assert not first.alive()

    halt.touch()
    eventually(lambda: stage.stack().services[0].restarts == 2)
    assert "event loop stands still" in stage.stack().services[0].detail


def test_a_one_time_command_that_fails_stops_the_start(stage: Stage) -> None:
    broken = (sys.executable, "-c", "import sys; sys.exit('the topics are not ours')")
    supervisor = stage.start(Command(name="topics", argv=broken, once=True), Command(name="live", argv=LIVE))
    assert supervisor.wait() == 1
    output = stage.output.read_text()
    assert "the topics are not ours" in output
    assert "Traceback" not in output
    assert "the topics are not ours" in stage.stack().error
    assert [service.state for service in stage.stack().services] == ["failed", "waiting"]


def test_a_command_that_dies_at_once_stops_the_start(stage: Stage) -> None:
    supervisor = stage.start(Command(name="mayfly", argv=(sys.executable, "-c", "raise SystemExit(7)")))
    assert supervisor.wait() == 1
    output = stage.output.read_text()
    assert "mayfly exited with 7" in output


def test_one_supervisor_a_folder(stage: Stage) -> None:
    stage.ready(Command(name="live", argv=LIVE))
    before = stage.stack()
    second = stage.start()
    assert second.wait() == 1
    output = stage.output.read_text()
    assert "already runs" in output
    assert "Traceback" not in output
    assert stage.stack() == before


def test_a_killed_supervisor_leaves_no_orphan(stage: Stage) -> None:
    supervisor = stage.ready(Command(name="live", argv=LIVE), Command(name="deaf", argv=DEAF))
    children = [stage.process("live"), stage.process("deaf")]
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not any(child.alive() for child in children))
    stage.ready(Command(name="live", argv=LIVE))


def test_what_was_left_behind_is_ended_first(stage: Stage) -> None:
    stage.ready(Command(name="live", argv=LIVE)).terminate()
    stage.started[0].wait()
    orphan = subprocess.Popen(LIVE, start_new_session=True)
    known = stage.stack().model_dump(mode="json")
    started = Path(f"/proc/{orphan.pid}/stat").read_text().rpartition(")")[2].split()[19]
    known["services"][0]["process"] = {"pid": orphan.pid, "started": started}
    (stage.data / "stack.json").write_text(json.dumps(known))
    stage.ready(Command(name="live", argv=LIVE))
    assert orphan.wait() == -signal.SIGKILL


def test_a_recycled_process_id_is_left_alone(stage: Stage) -> None:
    stage.ready(Command(name="live", argv=LIVE)).terminate()
    stage.started[0].wait()
    stranger = subprocess.Popen(LIVE, start_new_session=True)
    known = stage.stack().model_dump(mode="json")
    known["services"][0]["process"] = {"pid": stranger.pid, "started": "1"}
    (stage.data / "stack.json").write_text(json.dumps(known))
    stage.ready(Command(name="live", argv=LIVE))
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_what_does_not_stop_is_killed(stage: Stage) -> None:
    supervisor = stage.ready(Command(name="deaf", argv=DEAF))
    deaf = stage.process("deaf")
    supervisor.terminate()
    assert supervisor.wait() == 0
    assert not deaf.alive()
    assert "killed" in stage.stack().services[0].detail
