"""`python -m tests.alert.soak`: 100,000 threats of 20 causes within a minute, on a broker, to a receiver.

Exit code 1 where more than 40 notifications come of them, or one of them is not counted.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from runtime.embedded.services import Broker
from tests.alert.stage import Alarmed, alerting
from tests.delivery.receiver import Receiver

THREATS, CAUSES, MOST = 100_000, 20, 40
SECONDS, AT_ONCE = 60, 1_000
PATIENCE = 300.0


async def flood(bootstrap: str, folder: Path, receiver: Receiver) -> bool:
    stage = Alarmed(bootstrap, folder, 12)
    await stage.prepare()
    route = {"name": "all", "receivers": ["hook"], "wait": 10, "interval": 60, "quiet": 600}
    found = alerting(route, receivers={"hook": {"type": "webhook", "url": receiver.url}})
    async with stage.alerting(found):
        began = time.monotonic()
        for first in range(0, THREATS, AT_ONCE):
            made = [stage.threat(first + n, f"d{n % CAUSES}", f"a{n % 997}") for n in range(AT_ONCE)]
            await stage.threaten(made)
            await asyncio.sleep(max(0.0, began + SECONDS * (first + AT_ONCE) / THREATS - time.monotonic()))
        sent = time.monotonic() - began
        while (told := counted(receiver)) < THREATS and time.monotonic() - began < PATIENCE:
            await asyncio.sleep(0.5)
    number = len(receiver.stored)
    late = time.monotonic() - began - sent
    print(f"{THREATS} threats of {CAUSES} causes in {sent:.0f} s: {number} notifications that count {told}")
    print(f"of them, the last {late:.0f} s after the flood")
    return number <= MOST and told == THREATS


def counted(receiver: Receiver) -> int:
    """Threats in the newest notification of each group."""
    newest = {body["group_id"]: body["count"] for body in (json.loads(p.body) for p in receiver.stored)}
    return sum(newest.values())


def main() -> None:
    """Flood, and judge."""
    with tempfile.TemporaryDirectory() as name, Receiver().running() as receiver:
        folder = Path(name)
        (folder / "broker").mkdir()
        with Broker(folder / "broker") as broker:
            well = asyncio.run(flood(broker.bootstrap, folder, receiver))
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
