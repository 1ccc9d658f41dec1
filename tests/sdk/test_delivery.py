"""What is taken arrives once, in order; where it does not, the caller is told."""

import asyncio
import threading

import pytest
from praetor import BufferFull, Closed

from runtime.embedded.process import free_port
from tests.sdk.helpers import Actions, Outage, numbers, whole


def test_events_of_many_threads_and_agents_arrive_once_in_order(actions: Actions):
    with actions.client(producer_id="p") as client:

        def work(thread: int) -> None:
            for i in range(600):
                client.action("read:file", f"/{thread}/{i}", agent_id=f"agent/{i % 7}")

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        flushed = client.flush()
    assert (flushed.acknowledged, flushed.unsent) == (2400, 0)
    report = client.report
    assert (report.acknowledged, report.complete) == (2407, True)
    found = actions.read()
    assert len(found) == 7
    for (producer, agent), events in found.items():
        whole(events, report.agents[agent].acknowledged - 1)
        assert producer == "p" and report.agents[agent].closed
        for thread in range(4):
            mine = [e["resource"] for e in events if e["resource"].startswith(f"/{thread}/")]
            assert mine == sorted(mine, key=lambda text: int(text.split("/")[2]))


async def test_coroutines_share_the_core(broker: str):
    actions = Actions(broker)
    await actions._create()
    async with actions.async_client() as client:
        ids = await asyncio.gather(*(client.action("read:file", str(i)) for i in range(300)))
        assert (await client.flush()).acknowledged == 300
    assert client.report.complete and len(set(ids)) == 300
    (events,) = (await asyncio.to_thread(actions.read)).values()
    whole(events, 300)


def test_large_events_arrive_and_each_epoch_is_larger(actions: Actions):
    epochs = []
    for _ in range(2):
        with actions.client(producer_id="p", content_limit=1 << 20) as client:
            for size in (1, 300_000, 900_000, 5):
                client.action("read:file", content="x" * size)
        assert client.report.complete
        epochs.append(client.epoch)
    assert epochs[0] < epochs[1]
    (events,) = actions.read().values()
    assert numbers(events) == [*range(5), *range(5)]
    assert [e["producer_epoch"] for e in events] == [epochs[0]] * 5 + [epochs[1]] * 5


@pytest.mark.parametrize("on_full", ["raise", "block"])
def test_a_full_buffer_is_told_and_spends_no_number(outage: Outage, on_full: str):
    outage.freeze()
    with outage.client(max_events=5, on_full=on_full, full_timeout=0.2) as client:
        for _ in range(5):
            client.action("read:file")
        with pytest.raises(BufferFull, match=r"5 events of .* not acknowledged"):
            client.action("read:file")
        outage.end()
        assert client.flush(60).acknowledged == 5
        client.action("read:file")
    (events,) = outage.read().values()
    whole(events, 6)


def test_a_blocked_call_goes_on_once_there_is_room(outage: Outage):
    outage.freeze()
    with outage.client(max_bytes=3000, full_timeout=60) as client:
        thread = threading.Thread(target=lambda: [client.action("read:file", "x" * 100) for _ in range(50)])
        thread.start()
        outage.end()
        thread.join(60)
        assert not thread.is_alive()
    (events,) = outage.read().values()
    whole(events, 50)


async def test_a_full_buffer_lets_other_coroutines_run(actions: Actions):
    actions.bootstrap = f"127.0.0.1:{free_port()}"
    client = actions.async_client(max_events=1, full_timeout=0.3)
    await client.action("read:file")
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    with pytest.raises(BufferFull):
        await client.action("read:file")
    ticking.cancel()
    assert ticks > 5
    assert (await client.close(0)).unsent == 2


def test_a_flush_does_not_wait_for_what_is_taken_after_it(actions: Actions):
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            client.action("read:file", agent_id="busy")

    with actions.client(full_timeout=60) as client:
        thread = threading.Thread(target=work)
        thread.start()
        try:
            for n in range(1, 4):
                client.action("read:file")
                assert client.flush(60).agents["a"].acknowledged == n
        finally:
            stop.set()
            thread.join()
    assert client.report.complete


def test_a_closed_client_takes_nothing(actions: Actions):
    with actions.client() as client:
        client.action("read:file")
    with pytest.raises(Closed, match="open another"):
        client.action("read:file")
    assert client.close() == client.report
    assert client.report.acknowledged == 2


def test_what_the_broker_refuses_for_ever_is_told_and_holds_nobody_up(broker: str, tmp_path):
    """A record too large for its topic: the others go on, the report and the spool have it."""
    actions = Actions(broker, **{"max.message.bytes": "2000"}).create()
    with actions.client(spool=tmp_path / "spool") as client:
        for i in range(30):
            client.action("read:file", str(i), content="x" * (3000 if i == 10 else 10))
    report = client.report
    assert (report.acknowledged, report.unsent, report.rejected) == (30, 1, 1)
    assert "agent a" in report.error and report.spool
    (events,) = actions.read().values()
    assert numbers(events) == [n for n in range(31) if n != 10]
