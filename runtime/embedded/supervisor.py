"""Starts the services, then the production commands, and keeps them running: the process behind `praetor up`.

`python -m runtime.embedded.supervisor DIR [--detach]` does what DIR/plan.json says and tells in
DIR/stack.json how it goes. SIGTERM and SIGINT stop everything in reverse order. If it is killed, its
children die with it (Linux); where they do not, the next start in the folder ends them first.
"""

import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from runtime.embedded.child import Child
from runtime.embedded.folder import detach, end_stale, lock, say
from runtime.embedded.plan import Command, Plan, clickhouse_environment, python_module, read_plan
from runtime.embedded.probe import Probe
from runtime.embedded.process import http_answers, kafka_answers, last_words
from runtime.errors import PraetorError
from runtime.stack import Stack, this_process, write_stack

TICK = 0.05
PREPARE_SECONDS = 300.0
SETTLE_SECONDS = 0.5
DAMAGED = {
    "kafka": "Is its data damaged? docs/operations/backup.md, When Kafka is lost",
    "clickhouse": "Is its data damaged? Move its folder away and restore: docs/operations/backup.md",
}


class Stopped(Exception):
    """Somebody asked the supervisor to stop."""


class Supervisor:
    """One stack, from start to stop. `run` returns when it was asked to stop and everything has ended."""

    def __init__(self, data: Path, plan: Plan) -> None:
        self._data, self._plan = data, plan
        self._services = services(data, plan)
        self._commands = commands(data, plan)
        self._ready = False
        self._error = ""
        self._asked = False

    def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            PraetorError: the stack did not come up; what had been started is stopped again.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        try:
            self._bring_up()
            say(f"ready: Kafka {self._plan.bootstrap}, ClickHouse {self._plan.clickhouse_url}")
            while True:
                self._tick()
        except Stopped:
            say("stopping")
        except PraetorError as error:
            self._error = str(error)
            raise
        finally:
            self._bring_down()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True

    def _bring_up(self) -> None:
        self._publish()
        for service in self._services:
            service.start(time.monotonic())
        once = [command for command in self._commands if command.once]
        self._until(partial(self._prepared, once), [*self._services, *once], PREPARE_SECONDS)
        lasting = [command for command in self._commands if not command.once]
        for command in lasting:
            command.start(time.monotonic())
        settled = time.monotonic() + SETTLE_SECONDS
        self._until(
            lambda: time.monotonic() > settled and all(c.state == "running" for c in lasting),
            lasting,
            PREPARE_SECONDS,
        )
        self._ready = True
        self._publish()

    def _prepared(self, once: list[Child]) -> bool:
        """Start the one-time commands that are due; True when all are done and all services answer."""
        reached = {service.name for service in self._services if service.state == "running"}
        reached |= {child.name for child in once if child.state == "done"}
        earlier = {service.name for service in self._services}
        for child, command in zip(once, (c for c in self._plan.commands if c.once), strict=True):
            after = earlier if command.after is None else earlier.intersection(command.after)
            if child.state == "waiting" and after <= reached:
                child.start(time.monotonic())
            earlier.add(child.name)
        return earlier <= reached

    def _until(self, reached: Callable[[], bool], watched: list[Child], seconds: float) -> None:
        """Tick until `reached`; a death of what is watched is an error, as is `seconds` of waiting."""
        deadline = time.monotonic() + seconds
        while not reached():
            self._tick()
            for child in watched:
                late = time.monotonic() > deadline
                if child.state in ("failed", "restarting") or late:
                    detail = (
                        f"is not ready after {seconds:.0f} s{child.waits}" if late else child.service().detail
                    )
                    raise PraetorError(_of_failure(child, detail))

    def _tick(self) -> None:
        if self._asked:
            raise Stopped
        changed = [child for child in (*self._services, *self._commands) if child.look(time.monotonic())]
        for child in changed:
            why = child.service().detail if child.state in ("restarting", "failed") else ""
            say(f"{child.name}: {child.state} {why}")
        if changed:
            self._publish()
        time.sleep(TICK)

    def _bring_down(self) -> None:
        self._ready = False
        for tier in (self._commands, *([service] for service in reversed(self._services))):
            deadline = time.monotonic() + self._plan.stop_seconds
            for child in tier:
                child.ask_to_stop()
            self._publish()
            for child in tier:
                if child.wait(deadline - time.monotonic()):
                    say(f"{child.name}: {child.state} {child.service().detail}")
        self._publish()

    def _publish(self) -> None:
        plan = self._plan
        stack = Stack(
            supervisor=this_process(),
            ready=self._ready,
            bootstrap=plan.bootstrap,
            clickhouse_url=plan.clickhouse_url,
            clickhouse_user=plan.clickhouse_user,
            clickhouse_password=plan.clickhouse_password,
            keys_dir=plan.keys_dir,
            error=self._error,
            services=tuple(child.service() for child in (*self._services, *self._commands)),
        )
        write_stack(self._data, stack)


def _of_failure(child: Child, detail: str) -> str:
    told = f"{child.name} {detail}; the end of {child.log}:\n{last_words(child.log)}"
    remedy = DAMAGED.get(child.name, "")
    return f"{told}\n{remedy}" if remedy else told


def services(data: Path, plan: Plan) -> list[Child]:
    """Return the services that the plan wants started, in the order of their start."""
    logs, children = data / "logs", []
    if plan.kafka_port:
        ports = ("--port", str(plan.kafka_port), "--controller-port", str(plan.controller_port))
        argv = python_module(
            "runtime.embedded.kafka", "--data", str(data / "kafka"), *ports, "--heap-mb", str(plan.heap_mb)
        )
        answers = partial(kafka_answers, plan.kafka_port)
        children.append(Child("kafka", argv, logs / "kafka.log", {}, answers=answers))
    if plan.clickhouse_port:
        argv = python_module(
            "runtime.embedded.clickhouse",
            "--data",
            str(data / "clickhouse"),
            "--port",
            str(plan.clickhouse_port),
        )
        env = clickhouse_environment(plan.clickhouse_password)
        answers = partial(http_answers, plan.clickhouse_port)
        children.append(Child("clickhouse", argv, logs / "clickhouse.log", env, answers=answers))
    return children


def commands(data: Path, plan: Plan) -> list[Child]:
    """Return the plan's commands, with the stack's addresses in their environment."""
    return [_command(data, plan, command) for command in plan.commands]


def _command(data: Path, plan: Plan, command: Command) -> Child:
    env, log = plan.environment(data), data / "logs" / f"{command.name}.log"
    if not command.health_port:
        return Child(command.name, command.argv, log, env, command.once)
    probe = Probe(command.health_port, plan.liveness_seconds)
    env |= {"PRAETOR_METRICS_HOST": "127.0.0.1", "PRAETOR_METRICS_PORT": str(command.health_port)}
    return Child(command.name, command.argv, log, env, answers=lambda: probe.settled, probe=probe)


def main() -> None:
    """Supervise the folder that is the first argument; exit with 1 and one message if that cannot be."""
    data = Path(sys.argv[1])
    if "--detach" in sys.argv[2:]:
        detach(data / "logs" / "supervisor.log")
    try:
        with lock(data):
            end_stale(data)
            plan = read_plan(data)
            if plan is None:
                raise PraetorError(f"there is no plan in {data}: start the stack with `praetor up`")
            Supervisor(data, plan).run()
    except PraetorError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
