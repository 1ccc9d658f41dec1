"""Letting go of a producer whose broker may be silent or gone.

Source of what is relied on: aiokafka 0.14.0, producer/sender.py.
"""

import asyncio

from aiokafka import AIOKafkaProducer


async def abandon(producer: AIOKafkaProducer) -> None:
    """Cut off a started producer at once: what it has under way is left to its transactional id's next init.

    Its own `stop` waits for what cannot be sent; cancelled, it leaves behind a task that goes on sending, and
    that could end a later transaction. Nothing is promised of what was sent but not acknowledged.
    """
    producer._closed = True
    sending = producer._sender.sender_task
    tasks = {sending} if sending is not None else set()
    if sending is not None and not sending.done():
        # requests repeat themselves for ever once their client is closed: each is a task of its own
        tasks |= sending.get_coro().cr_frame.f_locals["tasks"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await producer.client.close()
    _read_failures(producer)


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
