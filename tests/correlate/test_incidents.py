"""Incidents are those of brute force, however records are batched, repeated and remembered."""

from random import Random

import pytest

from schemas.codec import decode
from streams.correlate.groups import group_key, group_of, groups_of
from streams.correlate.incidents import partition_of_id
from streams.correlate.memory import Memory
from streams.correlate.tally import MOST
from streams.correlate.thresholds import Thresholds
from tests.correlate.making import START, fold
from tests.correlate.naive import Naive, told

STREAMS = 1_200
BY = Thresholds(quiet_ms=900_000, agents={"session": 2, "user": 3, "resource": 2, "tool": 4, "tenant": 5})


def written(chance):
    """One partition's records in order, as (key, source, fold), some of them repeated as after a crash."""
    at, found, offset = START, [], 0
    for _ in range(chance.randint(5, 40)):
        at += chance.choice((100, 5_000, 70_000, 400_000, 1_000_000))
        offset += chance.randint(1, 3)
        one = fold(chance, max(START, at - chance.choice((0, 0, 0, 200_000))))
        found += [(group_key(by, one["tenant"], g), (0, offset), one) for by, g in groups_of(one)]
    again = chance.randint(0, len(found))
    return [*found[:again], *found[max(0, again - chance.randint(0, 6)) : again], *found[again:]]


def remembered(memory, cells, chance):
    """The same memory, or one read from what was written."""
    if chance.random() < 0.7:
        return memory
    again = Memory("log-12345678", 3, BY)
    again.read(cells.items())
    return again


@pytest.mark.parametrize("part", range(4))
def test_random_streams(part: int) -> None:
    opened = 0
    for seed in range(part * STREAMS // 4, (part + 1) * STREAMS // 4):
        chance = Random(seed)
        memory, naive = Memory("log-12345678", 3, BY), Naive(BY)
        cells, last, revisions, seen = {}, {}, {}, set()

        def settle(memory, cells=cells, last=last, revisions=revisions, chance=chance):
            outcome = memory.settle()
            cells.update(outcome.cells)
            for name, value in outcome.incidents:
                record = decode(value, "incident")
                assert record["revision"] == revisions.get(name, 0) + 1
                revisions[name], last[name.decode()] = record["revision"], record
            return remembered(memory, {k: v for k, v in cells.items() if v is not None}, chance)

        for offset, (key, source, one) in enumerate(written(chance)):
            is_new = (key, source) not in seen
            assert memory.fold(offset, key, source, one) is is_new
            if is_new:
                seen.add((key, source))
                naive.fold(offset, key, one)
            if chance.random() < 0.3:
                memory = settle(memory)
            if last and chance.random() < 0.05:
                name = chance.choice(sorted(last))
                order = {"kind": "resolve", "incident_id": name, "author": "ann", "reason": ""}
                memory.order(0, memory.clock + 1, order)
                naive.resolve(int(name.rsplit("-", 1)[1]), naive.clock + 1)
        end = naive.clock + 10**9
        memory.order(1, end, {"kind": "tick", "incident_id": ""})
        naive.tick(end)
        memory = settle(memory)
        assert memory.groups == {}
        expected = {f"inc-12345678-3-{made['offset']}": told(made) for made in naive.found}
        assert set(last) == set(expected), seed
        for name, record in last.items():
            want = expected[name]
            record["agents"] = set(record["agents"])
            record["detectors"] = {d["detector"]: d["count"] for d in record["detectors"]}
            assert {field: record[field] for field in want} == want, (seed, name)
            assert record["status"] == "resolved"
            assert partition_of_id(name) == 3
        opened += len(expected)
    assert opened > STREAMS // 4


def test_a_flood_makes_few_records_that_count_all_of_it() -> None:
    chance, memory = Random(1), Memory("log-12345678", 0, BY)
    records = []
    for offset in range(20_000):
        one = fold(chance, START + offset, agents=1)
        memory.fold(offset, group_key("agent", "acme", "agent-1"), (0, offset), one)
        if offset % 500 == 0:
            records += memory.settle().incidents
    memory.order(0, START + 10**8, {"kind": "tick", "incident_id": ""})
    records += memory.settle().incidents
    last = decode(records[-1][1], "incident")
    assert len({name for name, _ in records}) == 1
    assert len(records) < 40
    assert last["threat_count"] + last["denial_count"] > 20_000
    assert len(last["members"]) <= 100
    assert len(last["evidence"]) == 50


def test_names_are_bounded_and_counts_are_not() -> None:
    chance, memory = Random(2), Memory("log-12345678", 0, BY)
    for offset in range(500):
        one = fold(chance, START + offset) | {"agent_id": f"a{offset}", "tenant": "t"}
        memory.fold(offset, group_key("tenant", "t", "t"), (0, offset), one)
    memory.order(0, START + 10**8, {"kind": "tick", "incident_id": ""})
    last = decode(memory.settle().incidents[-1][1], "incident")
    assert len(last["agents"]) == MOST["agents"]
    assert sum(d["count"] for d in last["detectors"]) == last["threat_count"] + last["denial_count"]


def test_an_incident_tells_its_story() -> None:
    memory = Memory("log-12345678", 0, BY)
    one = fold(Random(3), START) | {
        "agent_id": "coder/1",
        "resource": "/etc/passwd",
        "tool": "shell",
        "threat_count": 2,
        "denial_count": 1,
        "items": [
            {
                "kind": "threat",
                "detector": "secrets",
                "title": "A key went out",
                "severity": "critical",
                "count": 2,
                "evidence": ["e1"],
                "tags": ["ASI02"],
                "runbook": "Rotate it.",
            }
        ],
    }
    key = group_key("agent", "acme", "coder/1")
    assert group_of(key) == ("agent", "acme", "coder/1")
    memory.fold(7, key, (0, 1), one)
    memory.order(
        0,
        START + 5,
        {"kind": "acknowledge", "incident_id": "inc-12345678-0-7", "author": "a", "reason": "me"},
    )
    opened, acknowledged = (decode(value, "incident") for _, value in memory.settle().incidents)
    assert opened["title"] == "coder/1: A key went out"
    assert "agent coder/1 raised 2 threats and had 1 action denied" in opened["story"]
    assert "Found: A key went out (2x)." in opened["story"]
    assert opened["runbook"] == "Rotate it."
    assert (acknowledged["status"], acknowledged["revision"]) == ("acknowledged", 2)
    assert acknowledged["story"].endswith("Note: me")
