"""Connections that a client makes while it starts: closed with it, where aiokafka forgets them.

Source of what is relied on: aiokafka 0.14.0, client.py: `bootstrap` closes its connection after an error, but
not when it is cancelled.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

import aiokafka.client
from aiokafka.conn import AIOKafkaConnection, create_conn

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


def install() -> None:
    """Have every client of this process connect this way; aiokafka has no hook for it."""
    aiokafka.client.create_conn = _create
