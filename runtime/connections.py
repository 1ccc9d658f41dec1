"""How a client of Kafka meets brokers: what aiokafka forgets or takes for granted while it starts.

Source of what is relied on: aiokafka 0.14.0, client.py: `bootstrap` closes its connection after an error, but
not when it is cancelled; and is content with an answer that names no broker, which one gives that is coming
back. A producer's start then ends in an AssertionError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import aiokafka.client
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaConnectionError

# weak: tasks that a start leaves running keep the context, and must not keep what they have closed
_made: ContextVar["WeakSet[AIOKafkaConnection] | None"] = ContextVar("made", default=None)


@contextmanager
def closed_on_failure() -> Iterator[None]:
    """Close what is connected within the block if it raises or is cancelled."""
    made: WeakSet[AIOKafkaConnection] = WeakSet()
    token = _made.set(made)
    try:
        yield
    except BaseException:
        for connection in list(made):
            connection.close()
        raise
    finally:
        _made.reset(token)


async def _create(*place: Any, **options: Any) -> AIOKafkaConnection:
    connection = await create_conn(*place, **options)
    made = _made.get()
    if made is not None:
        made.add(connection)
    return connection


_bootstrap = AIOKafkaClient.bootstrap


async def _with_brokers(client: AIOKafkaClient) -> None:
    await _bootstrap(client)
    if not client.cluster.brokers():
        raise KafkaConnectionError("the broker names no broker in its answer, not even itself")


def install() -> None:
    """Have every client of this process do it this way; aiokafka has no hook for it."""
    aiokafka.client.create_conn = _create
    AIOKafkaClient.bootstrap = _with_brokers
