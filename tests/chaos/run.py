"""One run of chaos: a stack, actions that flow, a seeded schedule of faults, and the checks at the end."""

import asyncio
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from ledger.keys import VerifyKey
from runtime.errors import PraetorError, Unavailable
from schemas.codec import decode
from schemas.topics import ACTIONS
from sinks.connection import connect
from streams.control import read_view
from streams.keyring import CONTROL, LEDGER, read_verify_keys
from streams.topics import Wanted, create_topics, write_genesis
from tests.chaos.checker import (
    checkpoint_violations,
    clickhouse_violations,
    kafka_violations,
    source_violations,
)
from tests.chaos.faults import INFLICT
from tests.chaos.report import Report
from tests.chaos.schedule import Fault, schedule
from tests.chaos.stack import PARTITIONS, Broken, ChaosStack
from tests.chaos.traffic import Traffic
from tests.chaos.watch import Behind, Watch
from tests.streams.helpers import Log
from tests.streams.reading import Outputs

CALM = "calm."
RECOVERY_SECONDS = 150.0
CALM_SECONDS = 600.0
# The supervisor's words for a worker that ended by itself: nothing that is done here is a reason to.
ENDED = re.compile(r"^\S+ ((?:govern|archive)[^:]*: \S+ exited with [1-9]\d*)", re.MULTILINE)


@dataclass(frozen=True)
class Wish:
    """What to run; on a machine that does other things too, with more than the usual patience."""

    seed: int
    faults: int
    rate: int
    folder: Path
    patience: float = 1.0

    @property
    def recovery(self) -> float:
        """Seconds within which all must be well again after faults."""
        return RECOVERY_SECONDS * self.patience


async def chaos(wish: Wish, report: Report) -> None:
    """Run it; what is wrong stands in the report's violations."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _tell_where)
    stack = ChaosStack(wish.folder, wish.patience)
    try:
        await stack.open()
        report.say(f"up: seed {wish.seed}, {wish.faults} faults; disk full by {stack.disk.means}")
        traffic = Traffic(stack.options, wish.seed, PARTITIONS, wish.rate)
        watch = Watch(stack)
        flowing = asyncio.create_task(traffic.run())
        try:
            await watch.caught_up(wish.recovery)
            for step in schedule(wish.seed, wish.faults):
                await _step(stack, watch, step, report, wish.recovery)
                if flowing.done():
                    flowing.result()
        finally:
            traffic.stop.set()
            await flowing
        report.say(f"{traffic.count} actions acknowledged, {traffic.resent} sent again; checking")
        await watch.caught_up(wish.recovery)
        for what in watch.backwards:
            report.violated(what)
        await _check(stack, traffic, report, wish.patience)
    except (Broken, Behind, PraetorError, Unavailable) as error:
        report.violated(str(error))
    finally:
        await stack.close(keep=bool(report.violations))
        for what in _words(stack):
            report.violated(what)


def _tell_where() -> None:
    """For a run that hangs: kill -USR1 prints where each task waits."""
    for task in asyncio.all_tasks():
        task.print_stack(file=sys.stderr)


async def _step(stack: ChaosStack, watch: Watch, step: list[Fault], report: Report, recovery: float) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(_inflict(stack, fault, report) for fault in step))
    healed = loop.time()
    await watch.caught_up(recovery)
    seconds = loop.time() - healed
    report.recovered(step, seconds)
    report.say(f"  recovered in {seconds:.1f} s")


async def _inflict(stack: ChaosStack, fault: Fault, report: Report) -> None:
    await asyncio.sleep(fault.delay)
    report.say(f"fault {fault.number + 1}: {fault.kind.name} …")
    report.hit(fault, await INFLICT[fault.kind.name](stack, fault))


async def _check(stack: ChaosStack, traffic: Traffic, report: Report, patience: float) -> None:
    """Read everything, judge the same log once more without faults, compare."""
    options, keys = stack.options, stack.plan.keys_dir
    log = Log(stack.plan.bootstrap, keys, PARTITIONS)
    log.view = await read_view(options, read_verify_keys(keys, CONTROL))
    await create_topics(options, Wanted(PARTITIONS, prefix=CALM))
    await write_genesis(options, log.view, CALM)
    ends = await log.ends(ACTIONS.name)
    async with asyncio.timeout(CALM_SECONDS * patience):
        calm = await log.judge(CALM, ends)
    await _archived(stack, log, RECOVERY_SECONDS * patience)
    live, source = await log.read(""), await log.records(ACTIONS)
    known = read_verify_keys(keys, LEDGER)
    for what in await asyncio.to_thread(_found, stack, traffic, source, live, calm, known, log.view.log_id):
        report.violated(what)
    sizes = {
        name: sum(map(len, getattr(live, name).values()))
        for name in ("decisions", "dead_letters", "threats", "checkpoints", "snapshots")
    }
    kinds = {decode(r.value, "threat")["detector"] for of in live.threats.values() for r in of}
    report.say(f"checked: {sum(map(len, source.values()))} actions, {sizes}, threats of {len(kinds)} kinds")


async def _archived(stack: ChaosStack, log: Log, seconds: float) -> None:
    """Wait until the last of every topic is in ClickHouse: checkpoints come after decisions."""
    watch = Watch(stack)
    deadline = asyncio.get_running_loop().time() + seconds
    behind: list[str] = ["?"]
    while behind:
        live = await log.read("")
        wanted = {
            "decisions": live.decisions,
            "dead_letters": live.dead_letters,
            "threats": live.threats,
            "checkpoints": live.checkpoints,
            "snapshots": live.snapshots,
        }
        behind = []
        for table, records in wanted.items():
            rows = await watch.ask(f"SELECT count() FROM {table}")
            count, there = sum(map(len, records.values())), int(rows[0][0]) if rows else -1
            if there < count:
                behind.append(f"{table}: {there} of {count}")
        if asyncio.get_running_loop().time() > deadline:
            raise Behind(f"ClickHouse does not get all that Kafka has: {', '.join(behind)}")
        await asyncio.sleep(0.3 if behind else 0)


def _found(
    stack: ChaosStack,
    traffic: Traffic,
    source: dict[int, list[object]],
    live: Outputs,
    calm: Outputs,
    known: list[VerifyKey],
    log_id: str,
) -> list[str]:
    client = connect(stack.settings)
    try:
        return [
            *source_violations(source, traffic.acknowledged),
            *kafka_violations(source, live, calm),
            *checkpoint_violations(live, known, log_id),
            *clickhouse_violations(client, live, log_id),
        ]
    finally:
        client.close()


def _words(stack: ChaosStack) -> list[str]:
    """What the logs tell that must not be: workers that ended by themselves, tracebacks."""
    found = []
    for name, path in stack.logs().items():
        text = path.read_text(errors="replace")
        if "supervisor" in name:
            found += [f"{what}" for what in ENDED.findall(text)]
        elif "kafka" not in name:
            found += [f"{name}: {line[:3000]}" for line in text.splitlines() if _is_bug(line)]
    return found


def _is_bug(line: str) -> bool:
    """A traceback that is not one of aiokafka's own: it logs errors that it raises as well."""
    return "Traceback" in line and '"logger": "aiokafka' not in line
