"""Backtests of a day on which all shipped detections found something: as recorded, and without some."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from cli.policy_files import shipped_detections
from judgement.judge import Judgement, judge
from judgement.loading import load_rules
from judgement.rules import Rules, compile_rules
from runtime.embedded.services import Broker
from runtime.settings import Settings
from schemas.action import read_action
from streams.cells import Cells
from streams.snapshots import DAY_MS
from tests.backtest.test_backtest import STORES, report, time_of
from tests.backtest.world import PARTITIONS, Arrived, World, judge_under, keep, view_of
from tests.streams.helpers import Log
from tests.streams.rich import POLICY, shipped, timed

OFF = ("secret-in-arguments", "loop", "download-and-run", "failure-storm", "injected-instructions")
WITHOUT = {
    "apiVersion": "praetor/v1",
    "kind": "Detections",
    "detections": {name: {"enabled": False} for name in OFF},
}


async def _make(log: Log, settings: Settings, begin: int) -> World:
    await log.mint()
    world = World(log, settings, await log.outputs(), begin)
    await log.publish(shipped())
    world.views = [(begin, await view_of(log))]
    world.inputs = {number: [] for number in range(PARTITIONS)}
    for after, sent in timed(5, PARTITIONS, DAY_MS):
        into = world.inputs[sent.partition]
        into.append(Arrived(len(into), begin + after, sent.key, sent.value))
    for number, records in world.inputs.items():
        judge_under(world, number, records, world.views, [begin])
    await keep(world)
    return world


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, clickhouse: str) -> Iterator[World]:
    """The day, in both stores."""
    folder = tmp_path_factory.mktemp("day")
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=f"day_{uuid4().hex[:8]}")
    begin = (int(time.time() * 1000) // DAY_MS - 2) * DAY_MS
    with Broker(folder / "kafka") as running:
        log = Log(running.bootstrap, folder / "keys", PARTITIONS)
        yield asyncio.run(_make(log, settings, begin))


def by_hand(world: World, rules: Rules) -> list[Judgement]:
    """Every action judged, its agent's cells carried on."""
    cells: dict[bytes, Cells] = {}
    came = []
    for records in world.inputs.values():
        for record in records:
            own = cells.setdefault(record.key or b"", {})
            came.append(judge(read_action(record.value, record.timestamp), own, rules))
            own.update(came[-1].changes)
    return came


@pytest.mark.parametrize("store", STORES)
def test_all_of_it_is_as_recorded(day: World, store: str) -> None:
    found = report(day, "active", "--from", time_of(day.begin), "--source", store, "--verify")
    total = sum(map(len, day.inputs.values()))
    assert found["verified"] == {"decisions": total, "equal": total, "differing": []}
    assert {"rich/now", "rich/later", "rich/likely"} <= set(found["fired"])
    assert found["threats_found"]["count"] == found["threats_lost"]["count"] == 0


def test_without_some_of_them_it_is_what_judging_by_hand_says(day: World, tmp_path: Path) -> None:
    tried = tmp_path / "without.yaml"
    tried.write_text(yaml.safe_dump_all([POLICY, WITHOUT]))
    found = report(day, tried, "--from", time_of(day.begin), "--source", "kafka")
    new_bundle = load_rules([(tried.name, tried.read_bytes())], shipped_detections()).bundle()
    old, new = (by_hand(day, compile_rules(bundle)) for bundle in (shipped(), new_bundle))
    pairs = list(zip(old, new, strict=True))
    effects = Counter(f"{o.verdict.effect.name} -> {n.verdict.effect.name}" for o, n in pairs)
    assert found["transitions"] == dict(effects) and found["changed"] > 10
    lost = [f.detector for o, n in pairs for f in set(o.findings) - set(n.findings)]
    assert set(OFF) <= set(lost) and found["threats_lost"]["count"] == len(lost)
    gained = sum(len(set(n.findings) - set(o.findings)) for o, n in pairs)
    assert found["threats_found"]["count"] == gained
