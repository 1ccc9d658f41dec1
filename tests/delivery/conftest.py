from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.delivery.receiver import Receiver
from tests.delivery.stage import Delivering


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


@pytest_asyncio.fixture
async def delivering(broker: str) -> AsyncIterator[Delivering]:
    """Topics of three partitions under a prefix of their own."""
    yield await Delivering(broker, 3).prepare()
