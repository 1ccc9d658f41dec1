"""`praetor demo`: the guided tour, on the real services."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.text import Text

from cli.scenario import Step, Story
from cli.waiting import wait_for_decisions
from runtime.errors import PraetorError
from runtime.kafka import Ends, common_options, partition_counts, start_consumer
from runtime.settings import Settings, load_settings, need_bootstrap
from schemas.codec import decode
from schemas.model import encode_action
from schemas.topics import DECISIONS, THREATS, topic_name
from streams.producing import ActionProducer, Published

COLOURS = {"allow": "green", "deny": "bold red"}
ARRIVAL_SECONDS = 60
WHY = (
    "SELECT agent_id AS agent, action, reasons[1].message AS why, count() AS times FROM decisions "
    "WHERE effect = 'deny' GROUP BY agent, action, why ORDER BY times DESC, agent"
)
COUNT = "SELECT effect, count() FROM decisions GROUP BY effect"

console = Console(highlight=False, soft_wrap=True)


def demo(
    data: Annotated[Path, typer.Option(help="Folder for the demo's stack; kept afterwards.")] = Path(
        ".praetor"
    ),
    pause: Annotated[float, typer.Option(min=0, help="Seconds between two actions.")] = 0.25,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running.")] = False,
) -> None:
    """Start everything on this machine, let agents act, watch them being judged; then query and prove it.

    Needs nothing installed. Afterwards the stack is stopped (unless --keep); its data stays.

    Example: praetor demo --keep
    """
    started = time.monotonic()
    running = bool(load_settings(data).bootstrap)
    _say("1. The stack: a real Kafka broker, the real ClickHouse engine, a govern worker, the archive")
    if not running:
        _praetor("up", "-d", "--data", str(data))
    try:
        settings = load_settings(data)
        need_bootstrap(settings)
        _say("2. Agents act; each verdict as it is committed")
        _summary(data, asyncio.run(_act(settings, pause)))
    finally:
        if not running and not keep:
            _praetor("down", "--data", str(data))
    _next_steps(data, running or keep, time.monotonic() - started)


def _say(text: str) -> None:
    console.print(f"\n[bold cyan]{text}[/bold cyan]")


def _praetor(*arguments: str) -> None:
    typed = " ".join(f'"{a}"' if " " in a else a for a in arguments)
    console.print(f"[dim]$ praetor {escape(typed)}[/dim]")
    done = subprocess.run([sys.executable, "-m", "cli.main", *arguments], check=False)
    if done.returncode:
        raise PraetorError(f"`praetor {arguments[0]}` ended with {done.returncode}; its message stands above")


async def _act(settings: Settings, pause: float) -> "_Watch":
    options = common_options(settings)
    names = [topic_name(t, settings.topic_prefix) for t in (DECISIONS, THREATS)]
    counts = await partition_counts(options, names)
    tps = [TopicPartition(name, p) for name, count in counts.items() for p in range(count)]
    consumer = await start_consumer(options, "read_committed", fetch_max_wait_ms=100)
    ends = Ends(options)
    try:
        await ends.start()
        consumer.assign(tps)
        for tp, end in (await consumer.end_offsets(tps)).items():
            consumer.seek(tp, end)
        steps = list(Story(time.time_ns() // 1000).steps())
        publishing = asyncio.create_task(_publish(settings, steps, pause))
        watch = _Watch({event.event_id: told for told, event in steps})
        await watch.follow(consumer, ends)
        with Progress(console=console, transient=True) as progress:
            await wait_for_decisions(settings, await publishing, ARRIVAL_SECONDS, progress)
        return watch
    finally:
        await ends.stop()
        await consumer.stop()


async def _publish(settings: Settings, steps: list[Step], pause: float) -> Published:
    async with ActionProducer(common_options(settings)) as producer:
        for _, event in steps:
            await producer.publish([encode_action(event.to_record())])
            published = await producer.flush()
            await asyncio.sleep(pause)
        return published


class _Watch:
    """Prints what is committed, and keeps count of it."""

    def __init__(self, told: dict[str, str]) -> None:
        self.effects: Counter[str] = Counter()
        self.threats: list[dict[str, Any]] = []
        self._told = told
        self._chapter = ""

    async def follow(self, consumer: AIOKafkaConsumer, ends: Ends) -> None:
        """Watch until every action has its decision, then until nothing committed is unread.

        Raises:
            PraetorError: decisions do not come.
        """
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while (missing := len(self._told) - self.effects.total()) > 0:
            if time.monotonic() > deadline:
                raise PraetorError(
                    f"{missing} decisions did not come in {ARRIVAL_SECONDS} s: see `praetor logs`"
                )
            await self._read(consumer)
        # a threat is committed with its decision, but each partition learns of the commit by itself
        for tp in consumer.assignment():
            end = await ends.stable_end(tp)
            while await consumer.position(tp) < end:
                await self._read(consumer)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        found = await consumer.getmany(timeout_ms=200)
        for record in (r for records in found.values() for r in records):
            if record.topic.endswith(THREATS.name):
                self.threats.append(decode(record.value, "threat"))
                _print_threat(self.threats[-1])
            else:
                self._decided(decode(record.value, "decision"))

    def _decided(self, decision: dict[str, Any]) -> None:
        chapter = self._told.get(decision["event_id"])
        if chapter is None:
            return
        self.effects[decision["effect"]] += 1
        if chapter != self._chapter:
            self._chapter = chapter
            console.print(f"\n   [italic]{chapter}[/italic]")
        _print_decision(decision)


def _print_decision(decision: dict[str, Any]) -> None:
    effect = decision["effect"]
    line = Text("   ")
    line.append(f"{effect:<6}", style=COLOURS.get(effect, "yellow"))
    line.append(
        f" {decision['agent_id']:<13}{decision['phase']:<7}{decision['action']:<12}{decision['resource']}"[
            :110
        ]
    )
    console.print(line)
    if effect != "allow" and decision["reasons"]:
        reason = decision["reasons"][0]
        console.print(
            Text(f"          {reason['policy']}/{reason['rule']}: {reason['message']}", style="red")
        )


def _print_threat(threat: dict[str, Any]) -> None:
    tags = ", ".join(threat["tags"])
    console.print(
        Text(
            f"   THREAT {threat['severity']}: {threat['title']} ({threat['agent_id']}) [{tags}]",
            style="bold magenta",
        )
    )
    console.print(Text(f"          {threat['message']}", style="magenta"))


def _summary(data: Path, watch: _Watch) -> None:
    _say("3. What happened")
    counts = ", ".join(f"{number} {effect}" for effect, number in sorted(watch.effects.items()))
    total, threats = watch.effects.total(), len(watch.threats)
    console.print(f"   {total} actions, as many decisions: {counts}. Threats raised: {threats}.")
    _say("4. What an analyst asks ClickHouse: what was denied, and why?")
    _praetor("query", WHY, "--data", str(data))
    _say("5. Proof: every decision is in the signed ledger, unchanged")
    _praetor("ledger", "verify", "--data", str(data))


def _next_steps(data: Path, running: bool, seconds: float) -> None:
    _say(f"Done in {seconds:.0f} s. What to try next")
    praetor = "praetor" if shutil.which("praetor") else os.path.relpath(sys.argv[0])
    steps = [
        ("up -d", "start the stack again; the data is still there"),
        ("simulate --count 10000", "a fleet of agents, some of them hostile"),
        (f'query "{COUNT}"', "what became of them"),
        ("down", "stop it; the data stays"),
    ]
    for command, meaning in steps[1 if running else 0 :]:
        console.print(f"   {praetor} {command} --data {data}", markup=False)
        console.print(f"      {meaning}", style="dim")
    console.print(f"   {praetor} policy test")
    console.print(
        "      the shipped policies' cases; README.md says how to send actions from your own code",
        style="dim",
    )
