import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from runtime.embedded.services import Broker
from runtime.settings import Settings
from tests.ledger_cli.helpers import PARTITIONS, Judged, judge_and_archive
from tests.streams.helpers import Log


@pytest.fixture(scope="package")
def judged(tmp_path_factory: pytest.TempPathFactory, clickhouse: str) -> Iterator[Judged]:
    """A few hundred actions, judged by govern and archived. Tests change copies of it alone."""
    folder = tmp_path_factory.mktemp("ledger")
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"ledger_{uuid4().hex[:8]}")
    with Broker(folder / "kafka") as running:
        log = Log(running.bootstrap, folder / "keys", PARTITIONS)
        yield asyncio.run(judge_and_archive(log, settings, rounds=3, actions=200))
