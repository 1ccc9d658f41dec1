from collections.abc import AsyncIterator

import pytest_asyncio

from tests.archive.helpers import Stage


@pytest_asyncio.fixture
async def stage(broker: str, clickhouse: str) -> AsyncIterator[Stage]:
    """One partition."""
    stage = await Stage(broker, clickhouse).prepare()
    yield stage
    stage.close()


@pytest_asyncio.fixture
async def wide(broker: str, clickhouse: str) -> AsyncIterator[Stage]:
    """Four partitions."""
    stage = await Stage(broker, clickhouse, partitions=4).prepare()
    yield stage
    stage.close()
