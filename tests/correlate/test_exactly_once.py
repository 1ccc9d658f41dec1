"""Incidents on a real broker are those of brute force, whatever is killed or joins meanwhile."""

from random import Random

from schemas.topics import INCIDENT_ORDERS, INCIDENTS
from streams.correlate.thresholds import Thresholds
from tests.correlate.making import START
from tests.correlate.stage import Correlating, until

BY = Thresholds()
LATER = START + 10**7


async def settled(stage: Correlating, sent: int) -> dict:
    """Wait until the last fold's groups are told; every incident's records in order."""
    await until(lambda: sent_all(stage, sent), 120)
    last = {"group_key": "agent/acme/closing"}

    async def closed():
        return any(r["group_key"] == last["group_key"] for _, _, r in await stage.read(INCIDENTS, "incident"))

    await until(closed, 60)
    found: dict = {}
    for _, _, record in await stage.read(INCIDENTS, "incident"):
        found.setdefault(record["incident_id"], []).append(record)
    return found


async def sent_all(stage: Correlating, sent: int) -> bool:
    return len({source for source, _ in await stage.copies()}) >= sent


def check(found: dict, expected: dict) -> None:
    """No incident lost or doubled, and each told once a revision; what is resolved has the exact figures."""
    assert set(found) == set(expected)
    for name, records in found.items():
        assert [r["revision"] for r in records] == list(range(1, len(records) + 1))
        want, last = expected[name], records[-1]
        if last["status"] == "resolved":
            last = last | {"agents": set(last["agents"])}
            last["detectors"] = {d["detector"]: d["count"] for d in last["detectors"]}
            assert {field: last[field] for field in want} == want


async def test_incidents_open_grow_and_resolve_once(stage: Correlating) -> None:
    chance = Random(5)
    await stage.send(stage.folds(chance, 60, START), abort=True)  # what was aborted is no fold
    await stage.send(stage.folds(chance, 150, START))
    stage.start()
    await until(lambda: sent_all(stage, 150))
    stage.start()  # a rebalance
    await stage.send(stage.folds(chance, 100, START + 600_000))
    await until(lambda: sent_all(stage, 250))
    stage.kill(0)
    await stage.send(stage.folds(chance, 100, START + 1_200_000))
    # START is in the past: what is open is over by the clock of the broker, which a tick asks for

    async def resolved():
        last = {r["incident_id"]: r for _, _, r in await stage.read(INCIDENTS, "incident")}
        return last and all(r["status"] == "resolved" for r in last.values()) and await sent_all(stage, 350)

    await until(resolved)
    found: dict = {}
    for _, _, record in await stage.read(INCIDENTS, "incident"):
        found.setdefault(record["incident_id"], []).append(record)
    assert len(found) > 3
    ticks = [one for _, _, one in await stage.read(INCIDENT_ORDERS, "incident_order")]
    assert ticks
    assert {one["kind"] for one in ticks} == {"tick"}
    for records in found.values():
        assert [r["revision"] for r in records] == list(range(1, len(records) + 1))
        assert records[-1]["resolved_by"] == "quiet"
