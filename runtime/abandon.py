"""Letting go of clients whose broker may be silent or gone.

Source of what is relied on: aiokafka 0.14.0, producer/sender.py, consumer/fetcher.py, group_coordinator.py.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


async def abandon(producer: AIOKafkaProducer) -> None:
    """Cut off a started producer at once: what it has under way is left to its transactional id's next init.

    Its own `stop` waits for what cannot be sent; cancelled, it leaves behind a task that goes on sending, and
    that could end a later transaction. Nothing is promised of what was sent but not acknowledged.
    """
    producer._closed = True
    sending = producer._sender.sender_task
    tasks = {sending} if sending is not None else set()
    if sending is not None and not sending.done():
        # requests repeat themselves for ever once their client is closed: each is a task of its own;
        # a sender that has not begun has none
        tasks |= sending.get_coro().cr_frame.f_locals.get("tasks", set())
    await _end(list(tasks))
    await producer.client.close()
    _read_failures(producer)


async def cut(consumer: AIOKafkaConsumer) -> None:
    """Cut off a consumer at once: a member leaves its group without a word.

    Its own `stop` waits for a silent broker; where a fetch has just failed it raises CancelledError, as if
    the caller were cancelled: a partition's work that took that for its own end stood still for ever.
    """
    consumer._closed = True
    await asyncio.sleep(0)  # a task cancelled before its first step leaves its coroutine unawaited
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    names = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task")
    tasks = [getattr(coordinator, name, None) for name in names]
    if fetcher is not None:
        tasks += [fetcher._fetch_task, *fetcher._pending_tasks]
    await _end([task for task in tasks if task is not None])
    if fetcher is not None:
        for waiter in tuple(fetcher._fetch_waiters):
            fetcher._notify(waiter)
    # closing TLS in good order waits for the broker, which does not listen while it holds back an answer
    for connection in consumer._client._conns.values():
        if connection._writer is not None:
            connection._writer.transport.abort()
    await consumer._client.close()


async def _end(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _read_failures(producer: AIOKafkaProducer) -> None:
    """Read the errors of futures that nobody will wait for, which asyncio would report as forgotten."""
    manager, accumulator = producer._txn_manager, producer._message_accumulator
    batches = [b for queue in accumulator._batches.values() for b in queue]
    futures = [b._drain_waiter for b in (*batches, *accumulator._pending_batches)]
    futures += [b.future for b in (*batches, *accumulator._pending_batches)]
    if manager is not None and manager._transaction_waiter is not None:
        futures.append(manager._transaction_waiter)
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()
