from collections.abc import Iterator
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from runtime.settings import Settings
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate


@pytest.fixture
def empty(clickhouse: str) -> Settings:
    """Settings of a database that does not exist yet."""
    return Settings(clickhouse_url=clickhouse, clickhouse_database=f"test_{uuid4().hex}")


@pytest.fixture(scope="module")
def database(clickhouse: str) -> Settings:
    """Settings of a migrated database that the tests of a module share."""
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"test_{uuid4().hex}")
    migrate(settings)
    return settings


@pytest.fixture(scope="module")
def client(database: Settings) -> Iterator[Client]:
    client = connect(database)
    yield client
    client.close()


@pytest.fixture(scope="module")
def sink(database: Settings) -> Iterator[ClickHouseSink]:
    sink = ClickHouseSink(database)
    sink.open()
    yield sink
    sink.close()
