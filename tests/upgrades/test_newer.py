"""What a newer version wrote is not passed over: judging waits or stops, and says why."""

import asyncio
import zlib
from pathlib import Path

import pytest

from policies.canonical import canonical
from runtime.embedded.services import Broker
from runtime.errors import Newer
from schemas.codec import decode
from tests.streams.fleet import fleet
from tests.streams.helpers import Log, bundle

LATER = {"version": "praetor/v1", "default": "deny", "detections": {}, "policies": [], "later": 1}


async def test_a_worker_waits_for_a_bundle_it_can_read_and_stops_at_an_order_it_does_not_know(
    own_broker: Broker, tmp_path: Path
) -> None:
    log = await Log(own_broker.bootstrap, tmp_path / "keys", 2).mint()
    prefix = await log.outputs()
    worker = log.worker(prefix)
    task = asyncio.create_task(worker.run())
    async with log.following(prefix) as following:
        await following.reach(await log.send(fleet(1, 20, 2)))
        unread = await log.order("bundle", zlib.compress(canonical(LATER)))
        while worker._control.view.offset < unread:
            await asyncio.sleep(0.02)
        ends = await log.send(fleet(2, 20, 2))
        assert "cannot be read, so nothing is judged" in worker._control.view.unread
        await asyncio.sleep(0.5)  # a worker that judged all the same would have by now
        await following.step()
        assert following.total() == sum(ends.values()) - 20
        assert not task.done()
        readable = await log.publish(bundle("readable"))
        await following.reach(ends)
    outputs = await log.read(prefix)
    decisions = [decode(r.value, "decision") for p in outputs.decisions.values() for r in p]
    assert {d["control_offset"] for d in decisions} == {unread - 1, readable}

    await log.order("shun", b"{}")
    with pytest.raises(Newer, match="holds an order of kind 'shun', signed by 'author'"):
        await task
    with pytest.raises(Newer, match="run a newer one"):
        await log.worker(prefix).run()
