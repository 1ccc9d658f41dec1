"""A database of its own for these tests."""

from collections.abc import Iterator

import pytest

from tests.detections.hunting.stored import Stored


@pytest.fixture(scope="module")
def stored(clickhouse: str) -> Iterator[Stored]:
    """A database without rows."""
    made = Stored(clickhouse)
    yield made
    made.client.close()
