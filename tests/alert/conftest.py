from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.alert.stage import Alarmed
from tests.delivery.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


@pytest_asyncio.fixture
async def alarmed(broker: str, tmp_path: Path) -> AsyncIterator[Alarmed]:
    """Topics under a prefix of their own, and an empty store."""
    yield await Alarmed(broker, tmp_path).prepare()
