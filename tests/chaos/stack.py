"""The stack under chaos: the real supervisor with the real services and commands, in a folder of its own."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cli.stack import default_commands, make_plan, prepare, supervisor_command
from runtime.embedded.plan import Command, python_module
from runtime.embedded.process import end, http_answers, kafka_answers, spawn, tail
from runtime.kafka import Options
from runtime.settings import Settings
from runtime.stack import Process, Stack, read_stack
from tests.chaos.disk import Disk
from tests.chaos.proxy import Proxy

PARTITIONS = 4
READY_SECONDS = 120.0


class Broken(Exception):
    """The stack did not come back: the run ends here. The message says what was awaited."""


class ChaosStack:
    """One supervisor's stack; workers that are added stand beside it. After `close` none is left."""

    def __init__(self, folder: Path, patience: float = 1.0) -> None:
        self.folder = folder / "stack"
        self._ready_seconds = READY_SECONDS * patience
        self.extra: dict[str, list[subprocess.Popen[bytes]]] = {"govern": [], "archive": []}
        self.disk = Disk(self.folder / "kafka")
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._settings = Settings(data=self.folder)
        self.plan = make_plan(self._settings)
        self.proxy = Proxy(self.plan.clickhouse_port)
        self._added = 0

    @property
    def options(self) -> Options:
        return {"bootstrap_servers": self.plan.bootstrap}

    @property
    def settings(self) -> Settings:
        """To ask ClickHouse by, not through the proxy."""
        return Settings(
            data=self.folder,
            bootstrap=self.plan.bootstrap,
            clickhouse_url=f"http://127.0.0.1:{self.plan.clickhouse_port}",
            clickhouse_password=self.plan.clickhouse_password,
            keys_dir=self.plan.keys_dir,
        )

    async def open(self) -> None:
        self.folder.mkdir(parents=True)
        self.disk.mount()
        await self.proxy.start()
        proxied = {"clickhouse_url": f"http://127.0.0.1:{self.proxy.port}"}
        self.plan = self.plan.model_copy(update={**proxied, "commands": _commands()})
        await self.up()

    async def up(self) -> None:
        """What `praetor up` does: prepare, then the supervisor."""
        await asyncio.to_thread(prepare, self.folder, self.plan)
        # from this thread: Linux ties a child's life to the thread that started it
        self.supervisor = spawn(supervisor_command(self.folder), self.folder / "logs" / "supervisor.log")
        await self.until(self._is_up, "the stack is ready")

    def _is_up(self) -> bool:
        if self.supervisor is None or self.supervisor.poll() is not None:
            raise Broken(f"the supervisor ended:\n{tail(self.folder / 'logs' / 'supervisor.log', 40)}")
        stack = read_stack(self.folder)
        return stack is not None and stack.supervisor.pid == self.supervisor.pid and stack.ready

    async def close(self, keep: bool = False) -> None:
        """Stop everything; `keep` the broker's files, which are else gone with its small disk."""
        for workers in self.extra.values():
            for worker in workers:
                worker.send_signal(signal.SIGCONT)
                await asyncio.to_thread(end, worker, 20)
        if self.supervisor is not None:
            await asyncio.to_thread(end, self.supervisor, 60)
        await self.proxy.stop()
        self.disk.unmount(self.folder / "kafka-kept" if keep else None)

    def stack(self) -> Stack:
        found = read_stack(self.folder)
        if found is None:
            raise Broken("stack.json is gone")
        return found

    def processes(self, role: str) -> list[Process]:
        """The living processes of a role: kafka, clickhouse, govern (all of them), archive."""
        services = [s for s in self.stack().services if s.name.partition("-")[0] == role and s.process]
        found = [s.process for s in services if s.process is not None and s.process.alive()]
        extra = [worker for worker in self.extra.get(role, []) if worker.poll() is None]
        return found + [Process(pid=w.pid, started="") for w in extra]

    async def one(self, role: str, choice: int) -> int:
        """The process id of one of a role's processes; waits until there is one."""
        await self.until(lambda: bool(self.processes(role)), f"a process of {role} runs")
        found = self.processes(role)
        return found[choice % len(found)].pid

    def answers(self) -> bool:
        """Whether both services answer."""
        return kafka_answers(self.plan.kafka_port) and http_answers(self.plan.clickhouse_port)

    async def until(self, reached: Callable[[], bool], what: str, seconds: float | None = None) -> None:
        """Wait until it is reached, as long as a start may take by default."""
        seconds = seconds or self._ready_seconds
        deadline = asyncio.get_running_loop().time() + seconds
        while not reached():
            if asyncio.get_running_loop().time() > deadline:
                raise Broken(f"it did not come in {seconds:.0f} s that {what}")
            await asyncio.sleep(0.05)

    def add(self, role: str) -> None:
        """Start a worker beside the supervisor's."""
        self._added += 1
        log = self.folder / "logs" / f"{role}-extra-{self._added}.log"
        argv = python_module("cli.main", role)
        self.extra[role].append(spawn(argv, log, self.plan.environment(self.folder)))

    async def remove(self, role: str) -> int:
        """Ask an added worker to stop; its exit code."""
        worker = self.extra[role].pop(0)
        return await asyncio.to_thread(end, worker, 60)

    def logs(self) -> dict[str, Path]:
        return {path.stem: path for path in sorted((self.folder / "logs").glob("*.log*"))}


def _commands() -> tuple[Command, ...]:
    second = Command(name="archive-2", argv=python_module("cli.main", "archive"))
    commands = (*default_commands(workers=2), second)
    few = {"topics-create": ("topics", "create", "--partitions", str(PARTITIONS))}
    return tuple(
        c.model_copy(update={"argv": python_module("cli.main", *few[c.name])}) if c.name in few else c
        for c in commands
    )


def praetor_up(folder: Path) -> subprocess.CompletedProcess[str]:
    """`praetor up` as a person would type it."""
    command = [sys.executable, "-P", "-m", "cli.main", "up", "-d", "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
