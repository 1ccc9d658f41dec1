import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from runtime.embedded.services import Broker
from runtime.settings import Settings
from streams.snapshots import DAY_MS
from tests.backtest.world import DETECTIONS, World, candidate, make_world


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory, clickhouse: str) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("backtest")
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"backtest_{uuid4().hex[:8]}")
    begin = (int(time.time() * 1000) // DAY_MS - 4) * DAY_MS
    with Broker(folder / "kafka") as running:
        yield make_world(running.bootstrap, settings, folder, begin)


@pytest.fixture(scope="package")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of the candidate."""
    path = tmp_path_factory.mktemp("candidate") / "candidate.yaml"
    path.write_text(yaml.safe_dump_all([candidate(), DETECTIONS]))
    return path
