"""`python -m tests.delivery.soak`: all destinations at once, each hit by every fault in turn.

DELIVERY_SECONDS of load (600) at DELIVERY_RATE decisions a second (40). Every FAULT_SECONDS (6) another
destination is down, slow, silent, cut off, or answers 429 or 500; now and then forward itself is killed.
Afterwards each decision is at each destination, and those that were not hit were not delayed: their p99 is at
most 1.2 times what it was while all was well (plus 50 ms for the scheduler); else the exit code is 1.
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from subprocess import Popen

from rich.console import Console
from rich.table import Table

from bench.measure import quantile
from runtime.embedded.services import Broker
from tests.delivery.child import start
from tests.delivery.line import Line
from tests.delivery.remotes import Elastic, File, Remote, Splunk, Syslog, Web, Webhook
from tests.delivery.remotes_cloud import Datadog, Otlp, Secops, Sentinel
from tests.delivery.remotes_kafka import KafkaTopic
from tests.delivery.remotes_s3 import S3
from tests.delivery.stage import Delivering
from tests.soak.watching import Watched

SECONDS = float(os.environ.get("DELIVERY_SECONDS", "600"))
RATE = float(os.environ.get("DELIVERY_RATE", "40"))
FAULT_SECONDS = float(os.environ.get("FAULT_SECONDS", "6"))
CALM_SHARE = 0.2
PATIENCE_SECONDS = 180.0
NOISE_SECONDS = 0.05
FAULTS = ("down", "slow", "silent", "answers lost", "cut amid a batch", "429", "500", "forward killed")

console = Console(width=120)


class Place:
    """A destination, the line to it, and when it was hit."""

    def __init__(self, name: str, remote: Remote) -> None:
        self.name = name
        self.remote = remote
        self.line = Line(0)
        self.hit: list[tuple[float, float]] = []
        self.seen: dict[str, float] = {}
        self._read = 0

    @property
    def timed(self) -> bool:
        """Whether it says when something came."""
        return isinstance(self.remote, Web)

    def look(self) -> None:
        """Note when each event came first."""
        if isinstance(self.remote, Web):
            posts = self.remote.receiver.stored
            while self._read < len(posts):
                post = posts[self._read]
                self._read += 1
                for event in self.remote.ids(post.body):
                    self.seen.setdefault(event, post.at)
                post.body = b""
        else:
            now = time.monotonic()
            self.seen.update(dict.fromkeys(self.remote.arrived(), now))

    async def suffer(self, fault: str) -> None:
        """Be hit for a while."""
        line, remote, begun = self.line, self.remote, time.monotonic()
        if fault in ("429", "500") and isinstance(remote, Web | S3):
            remote.tell(*[int(fault)] * 5)
        elif fault == "down" and self.name != "file":
            await line.down()
        line.delay = 0.3 * (fault == "slow")
        line.silent = fault == "silent"
        line.cut_answers = 3 * (fault == "answers lost")
        line.cut_requests = 3 * (fault == "cut amid a batch")
        await asyncio.sleep(FAULT_SECONDS)
        line.delay, line.silent, line.cut_answers, line.cut_requests = 0.0, False, 0, 0
        if fault == "down" and self.name != "file":
            await line.up()
        # it comes back with its pause, and what waited
        self.hit.append((begun, time.monotonic() + FAULT_SECONDS))


def places(broker: str) -> list[Place]:
    """All destinations."""
    made: dict[str, Callable[[], Remote]] = {
        "webhook": Webhook,
        "splunk": Splunk,
        "elastic": Elastic,
        "otlp": Otlp,
        "s3": S3,
        "kafka": lambda: KafkaTopic(broker),
        "sentinel": Sentinel,
        "secops": Secops,
        "datadog": Datadog,
        "syslog": Syslog,
        "file": File,
    }
    return [Place(name, make()) for name, make in made.items()]


class Soak:
    """One run."""

    def __init__(self, stage: Delivering, folder: Path, all_places: list[Place]) -> None:
        self.stage = stage
        self.folder = folder
        self.places = all_places
        self.sent: dict[str, float] = {}
        self.begun = 0.0
        self._number = 0
        self.forward: Popen[bytes]
        self.watched: list[Watched] = []

    def start(self) -> None:
        """Start forward, again where it was killed."""
        documents = []
        for place in self.places:
            folder = self.folder / place.name
            folder.mkdir(exist_ok=True)
            documents.append(
                {
                    "apiVersion": "praetor/v1",
                    "kind": "Destination",
                    "metadata": {"name": place.name},
                    "feed": {"kinds": ["decision"], "start": "earliest"},
                    "format": "plain",
                    "to": place.remote.settings(place.line.port, folder),
                }
            )
        kafka = next(place for place in self.places if place.name == "kafka")
        redirect = (kafka.remote.port, kafka.line.port)
        self.forward = start(self.stage, self.folder, documents, redirect=redirect, answer_seconds=2.0)
        self.watched.append(Watched("forward", self.forward.pid))

    async def load(self, until: float) -> None:
        """Decide at a steady rate."""
        while time.monotonic() < until:
            now = time.monotonic()
            await self.decide(now)
            await asyncio.sleep(max(0.0, self.stage.partitions / RATE - (time.monotonic() - now)))

    async def decide(self, now: float) -> None:
        """One decision in each partition."""
        number, self._number = self._number, self._number + 1
        for p in range(self.stage.partitions):
            self.sent[f"{self.stage.log_id}/{p}/{number}"] = now
        await self.stage.decide(1, number)

    async def warm(self) -> None:
        """Return once forward works everywhere: how long it takes to start is not what is measured."""
        await self.decide(time.monotonic())
        while not all(place.seen for place in self.places if place.timed):
            await asyncio.sleep(0.1)
        self.begun = time.monotonic()

    async def faults(self, until: float, rng: random.Random) -> None:
        """Hit one destination after the other."""
        turns = [(place, fault) for fault in FAULTS for place in self.places]
        rng.shuffle(turns)
        while time.monotonic() + FAULT_SECONDS < until and turns:
            place, fault = turns.pop()
            if fault == "forward killed":
                if len(self.watched) > SECONDS / 60:
                    continue
                self.forward.kill()
                self.forward.wait()
                now = time.monotonic()
                self.start()
                for each in self.places:
                    each.hit.append((now, now + 15))
                await asyncio.sleep(FAULT_SECONDS)
            else:
                await place.suffer(fault)

    async def look(self) -> None:
        """Note arrivals and the memory of forward, until cancelled."""
        while True:
            for place in self.places:
                if place.timed:
                    await asyncio.to_thread(place.look)
            self.watched[-1].sample(time.monotonic())
            await asyncio.sleep(0.1)

    async def settled(self) -> bool:
        """Whether everything has arrived everywhere in the end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for place in self.places:
                if not place.timed and not self.sent.keys() <= place.seen.keys():
                    await asyncio.to_thread(place.look)
            if all(self.sent.keys() <= place.seen.keys() for place in self.places):
                return True
            await asyncio.sleep(1)
        return False


def delays(soak: Soak, place: Place, calm_until: float) -> tuple[list[float], list[float]]:
    """Seconds from decision to arrival: while all was well, and while others were hit and this was not."""
    calm, beside = [], []
    for event, at in soak.sent.items():
        delay = place.seen.get(event, float("inf")) - at
        if at < soak.begun:
            continue
        if at < calm_until:
            calm.append(delay)
        elif not any(begun - 1 <= at <= ended for begun, ended in place.hit):
            beside.append(delay)
    return calm, beside


def verdict(soak: Soak, calm_until: float) -> list[str]:
    """Print the figures; what is wrong."""
    table = Table(
        "destination", "arrived", "p99 while all was well", "p99 beside others' faults", "events then"
    )
    wrong = []
    for place in soak.places:
        if missing := len(soak.sent.keys() - place.seen.keys()):
            wrong.append(f"{place.name}: {missing} never arrived")
        cells = [place.name, f"{len(place.seen):,}"]
        if place.timed:
            found = delays(soak, place, calm_until)
            calm, beside = (quantile(d, 0.99) if d else 0.0 for d in found)
            cells += [f"{calm:.3f} s", f"{beside:.3f} s", f"{len(found[1]):,}"]
            if beside > 1.2 * calm + NOISE_SECONDS:
                wrong.append(f"{place.name}: p99 {beside:.3f} s beside others' faults, {calm:.3f} s without")
        table.add_row(*cells)
    console.print(table)
    rss = [max(w.samples["rss"]) / (1 << 20) for w in soak.watched if w.samples]
    count = f"{len(soak.sent):,} decisions to each; {len(rss)} processes of forward"
    console.print(f"{count}, the largest held {max(rss):.0f} MiB")
    return wrong


async def run(bootstrap: str, folder: Path) -> list[str]:
    """Everything; what is wrong."""
    stage = await Delivering(bootstrap, 3).prepare()
    soak = Soak(stage, folder, places(bootstrap))
    async with AsyncExitStack() as lines:
        with ExitStack() as remotes:
            for place in soak.places:
                remotes.enter_context(place.remote.running())
                place.line.target = place.remote.port
                await lines.enter_async_context(place.line.laid())
            soak.start()
            looking = asyncio.create_task(soak.look())
            await soak.warm()
            calm_until, until = soak.begun + SECONDS * CALM_SHARE, soak.begun + SECONDS
            loading = asyncio.create_task(soak.load(until))
            await asyncio.sleep(SECONDS * CALM_SHARE)
            await soak.faults(until, random.Random(1))
            await loading
            wrong = [] if await soak.settled() else [f"not settled within {PATIENCE_SECONDS:.0f} s"]
            looking.cancel()
            soak.forward.terminate()
            soak.forward.wait()
    return wrong + verdict(soak, calm_until)


def main() -> None:
    """Run it."""
    with (
        tempfile.TemporaryDirectory(prefix="praetor-delivery-") as folder,
        Broker(Path(folder) / "kafka") as broker,
    ):
        wrong = asyncio.run(run(broker.bootstrap, Path(folder)))
    for what in wrong:
        console.print(f"[red]wrong[/]: {what}", highlight=False)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
