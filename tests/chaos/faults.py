"""What each kind of fault does to the stack; each returns once it is over and what it hit may recover."""

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from runtime.errors import Unavailable
from schemas.topics import ACTIONS, ARCHIVE, CHECKPOINTS, DEAD_LETTERS, DECISIONS, STATE, TOPICS
from tests.chaos.schedule import Fault
from tests.chaos.settings import changed
from tests.chaos.stack import PARTITIONS, Broken, ChaosStack, praetor_up
from tests.streams.reading import asking

Inflict = Callable[[ChaosStack, Fault], Awaitable[str]]


async def _signal(stack: ChaosStack, role: str, choice: int, number: signal.Signals) -> int:
    pid = await stack.one(role, choice)
    os.kill(pid, number)
    return pid


def _send(role: str, number: signal.Signals) -> Inflict:
    async def send(stack: ChaosStack, fault: Fault) -> str:
        pid = await _signal(stack, role, fault.choice, number)
        await stack.until(lambda: not _runs(pid), f"process {pid} of {role} ends")
        return f"{role} {pid}"

    return send


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _freeze(role: str) -> Inflict:
    async def freeze(stack: ChaosStack, fault: Fault) -> str:
        pid = await _signal(stack, role, fault.choice, signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        return f"{role} {pid} for {fault.seconds:.1f} s"

    return freeze


async def _kill_every_govern(stack: ChaosStack, fault: Fault) -> str:
    await stack.one("govern", 0)
    pids = [process.pid for process in stack.processes("govern")]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return f"govern {pids}"


def _join_or_leave(role: str) -> Inflict:
    async def join_or_leave(stack: ChaosStack, fault: Fault) -> str:
        if not stack.extra[role]:
            stack.add(role)
            return f"one more {role}"
        code = await stack.remove(role)
        # one that was killed or told to stop by another fault has left already
        if code not in (0, -signal.SIGKILL):
            raise Broken(f"the {role} that was told to stop exited with {code}")
        return f"one {role} fewer (exit code {code})"

    return join_or_leave


async def _kill_in_transaction(stack: ChaosStack, fault: Fault) -> str:
    """Kill the broker while a transaction of govern is open: records lie behind the last stable offset."""
    pid = await stack.one("kafka", 0)
    found = "none was seen open in 10 s"
    with suppress(KafkaError, Unavailable, TimeoutError):
        async with asyncio.timeout(10), asking(stack.options) as ends:
            while found.startswith("none"):
                tp = TopicPartition(
                    random.Random(fault.choice).choice((DECISIONS, STATE)).name, fault.choice % PARTITIONS
                )
                if await ends.last_stable(tp) < await ends.high_watermark(tp):
                    found = f"one open in {tp.topic}/{tp.partition}"
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return f"kafka {pid}, {found}"


async def _fill_disk(stack: ChaosStack, fault: Fault) -> str:
    pid = await stack.one("kafka", 0)
    await asyncio.to_thread(stack.disk.fill, pid)
    try:
        with suppress(Broken):
            await stack.until(lambda: not _runs(pid), "the broker notices that its disk is full", 15)
        died = not _runs(pid)
        await asyncio.sleep(fault.seconds)
    finally:
        stack.disk.clear()
    with suppress(ProcessLookupError):
        if not died and not stack.disk.mounted:
            os.kill(pid, signal.SIGKILL)  # a limit, once set, stays
    return f"{stack.disk.means}; the broker {'ended' if died else 'went on'}"


def _lose_answer(killing: bool) -> Inflict:
    async def lose(stack: ChaosStack, fault: Fault) -> str:
        lost = asyncio.Event()
        pid = await stack.one("clickhouse", 0)

        def then() -> None:
            if killing:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            lost.set()

        stack.proxy.lose(then, times=1 if killing else 1 + fault.choice % 3)
        try:
            await asyncio.wait_for(lost.wait(), 30)
        except TimeoutError:
            return "no insert came in 30 s"
        return "its rows are applied"

    return lose


async def _kill_supervisor(stack: ChaosStack, fault: Fault) -> str:
    """Its children must end with it, else two of each would run; then `up` must work again."""
    if stack.supervisor is None:
        raise Broken("no supervisor runs")
    children = [s.process for s in stack.stack().services if s.process is not None]
    stack.supervisor.kill()
    stack.supervisor.wait()
    await stack.until(lambda: not any(c.alive() for c in children), "the supervisor's children end", 20)
    await stack.up()
    return f"{len(children)} children ended with it; up again"


async def _second_supervisor(stack: ChaosStack, fault: Fault) -> str:
    done = await asyncio.to_thread(praetor_up, stack.folder)
    if done.returncode != 1 or "already runs" not in done.stderr or "Traceback" in done.stderr:
        raise Broken(f"a second `praetor up` exited with {done.returncode}: {done.stdout}{done.stderr}")
    return "refused"


def _settings(changes: dict[str, dict[str, str]]) -> Inflict:
    async def change(stack: ChaosStack, fault: Fault) -> str:
        topic = sorted(changes)[fault.choice % len(changes)]
        async with changed(stack.options, topic, changes[topic]):
            await asyncio.sleep(fault.seconds)
        return f"{topic}: {changes[topic]} for {fault.seconds:.1f} s"

    return change


WRITTEN = (ACTIONS, DECISIONS, STATE, CHECKPOINTS, ARCHIVE)
EAGER = {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "1000"}

INFLICT: dict[str, Inflict] = {
    "govern killed": _send("govern", signal.SIGKILL),
    "govern frozen: zombie": _freeze("govern"),
    "govern frozen: short": _freeze("govern"),
    "govern told to stop": _send("govern", signal.SIGTERM),
    "every govern killed": _kill_every_govern,
    "govern joins or leaves": _join_or_leave("govern"),
    "archive killed": _send("archive", signal.SIGKILL),
    "archive frozen: zombie": _freeze("archive"),
    "archive told to stop": _send("archive", signal.SIGTERM),
    "archive joins or leaves": _join_or_leave("archive"),
    "broker stopped": _send("kafka", signal.SIGTERM),
    "broker killed": _send("kafka", signal.SIGKILL),
    "broker killed in a transaction": _kill_in_transaction,
    "broker frozen: short": _freeze("kafka"),
    "broker frozen: long": _freeze("kafka"),
    "broker's disk full": _fill_disk,
    "clickhouse stopped": _send("clickhouse", signal.SIGTERM),
    "clickhouse killed": _send("clickhouse", signal.SIGKILL),
    "clickhouse frozen": _freeze("clickhouse"),
    "insert's answer lost": _lose_answer(killing=False),
    "insert's answer lost, clickhouse killed": _lose_answer(killing=True),
    "supervisor killed": _kill_supervisor,
    "second supervisor": _second_supervisor,
    "min.insync.replicas raised": _settings({t.name: {"min.insync.replicas": "2"} for t in WRITTEN}),
    "max.message.bytes lowered": _settings(
        {t.name: {"max.message.bytes": "300"} for t in (ACTIONS, DECISIONS, STATE, DEAD_LETTERS, ARCHIVE)}
    ),
    "topics compacted eagerly": _settings({t.name: EAGER for t in (STATE, ARCHIVE)}),
    "clock of outputs changed": _settings(
        {t.name: {"message.timestamp.type": "CreateTime"} for t in TOPICS if t.output}
    ),
}
