"""A topic's settings, changed for a while, whatever happens to the broker meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from runtime.errors import Unavailable
from runtime.kafka import Options
from schemas.topics import TOPICS

T = TypeVar("T")
PATIENCE = 90.0


@asynccontextmanager
async def changed(options: Options, topic: str, settings: dict[str, str]) -> AsyncIterator[None]:
    """Have the broker take other settings for a topic during the block, then those that it is made with."""
    made = next(t.config for t in TOPICS if t.name == topic)
    await _insist(lambda: _alter(options, topic, made | settings))
    try:
        yield
    finally:
        await _insist(lambda: _alter(options, topic, made))


async def _alter(options: Options, topic: str, config: dict[str, str]) -> None:
    admin = AIOKafkaAdminClient(**options, request_timeout_ms=5_000)
    try:
        await admin.start()
        replies = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, dict(config))])
    finally:
        await admin.close()
    refused = [entry for reply in replies for entry in reply.resources if entry[0]]
    if refused:
        raise Unavailable(f"the broker refuses settings of {topic}: {refused}")


async def _insist(call: Callable[[], Awaitable[T]]) -> T:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await asyncio.wait_for(call(), 15)
        except (KafkaError, Unavailable, TimeoutError):
            if asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(0.3)
