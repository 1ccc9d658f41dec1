"""What is not delivered costs no memory: it stays on the broker."""

import asyncio
from pathlib import Path

import pytest

from tests.delivery.child import start
from tests.delivery.receiver import Receiver
from tests.delivery.stage import Delivering, until
from tests.soak.watching import Watched

DEAD = 5
MIB = 1 << 20
MOST = 64 * MIB
"""How much more than when it began: what is read ahead for all destinations together."""


@pytest.mark.parametrize("many", [3_000, pytest.param(1_000_000, marks=pytest.mark.chaos)])
@pytest.mark.timeout(1200)
async def test_memory_does_not_grow_with_what_waits(
    many: int, delivering: Delivering, receiver: Receiver, tmp_path: Path
) -> None:
    def document(name: str, url: str) -> dict[str, object]:
        return {
            "apiVersion": "praetor/v1",
            "kind": "Destination",
            "metadata": {"name": name},
            "feed": {"kinds": ["decision"], "start": "earliest"},
            "format": "plain",
            "to": {"type": "webhook", "url": url},
        }

    dead = [document(f"dead-{n}", "http://127.0.0.1:9/in") for n in range(DEAD)]
    forward = start(delivering, tmp_path, [*dead, document("well", receiver.url)])
    try:
        await delivering.decide(1)

        counted = [0, 0]

        async def arrived() -> int:
            while counted[0] < len(receiver.stored):
                post = receiver.stored[counted[0]]
                counted[0] += 1
                counted[1] += post.body.count(b'"kind":"decision"')
                post.body = b""
            return counted[1]

        await until(arrived, delivering.partitions)
        watched = Watched("forward", forward.pid)
        watched.sample(0.0)
        share = many // delivering.partitions
        for first in range(1, share, 5_000):
            await delivering.decide(min(5_000, share - first), first)
        while await arrived() < share * delivering.partitions:
            watched.sample(0.0)
            await asyncio.sleep(0.5)
        watched.sample(0.0)
        assert forward.poll() is None
        grown = max(watched.samples["rss"]) - watched.samples["rss"][0]
        print(f"{many} undelivered at each of {DEAD}: {grown / MIB:.0f} MiB more")
        assert grown < MOST
    finally:
        forward.terminate()
        forward.wait()
