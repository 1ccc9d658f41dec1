"""Every known way to be wrong or odd: one clear end for it, and none of it harms another."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random
from typing import Any

import pytest

from schemas.codec import decode
from schemas.limits import MAX_VALUE_BYTES
from schemas.topics import ACTIONS
from streams.progress import PROGRESS_KEY
from tests.hostile.arena import Database, deliver, mistakes
from tests.hostile.cases import CASES, DECODE, MISROUTED, PARTITIONS, SIZE, Case
from tests.hostile.mutation import clean
from tests.streams.helpers import Log
from tests.streams.reading import Outputs

Place = tuple[int, int]
Records = dict[int, list[Any]]


@dataclass
class Judged:
    """What came of the cases, and of the clean actions between them."""

    log: Log
    prefix: str
    places: dict[str, Place]
    source: dict[int, list[Any]]
    outputs: Outputs
    decisions: dict[Place, dict[str, Any]]
    letters: dict[Place, dict[str, Any]]


async def judge_all(log: Log) -> Judged:
    await log.clear()
    prefix, rng = await log.outputs(), Random(3)
    ends = await log.ends(ACTIONS.name)
    records, places = [], {}
    for name, case in CASES.items():
        for record in (clean(rng, PARTITIONS), case.sent):
            places[name] = record.partition, ends[record.partition]
            ends[record.partition] += 1
            records.append(record)
    assert await deliver(log, records, rng) == ends
    outputs = await log.judge(prefix, ends)
    decisions, letters = (
        {
            (d["partition"], d["source_offset"]): d
            for rs in of.values()
            for d in (decode(r.value, name) for r in rs)
        }
        for of, name in ((outputs.decisions, "decision"), (outputs.dead_letters, "dead_letter"))
    )
    source = await log.records(ACTIONS.name)
    return Judged(log, prefix, places, source, outputs, decisions, letters)


@pytest.fixture(scope="module")
def judged(hostile_log: Log) -> Iterator[Judged]:
    yield asyncio.run(judge_all(hostile_log))


@pytest.mark.parametrize("name", CASES)
def test_it_has_the_end_that_it_must_have(judged: Judged, name: str) -> None:
    case, place = CASES[name], judged.places[name]
    if case.end in (DECODE, SIZE):
        check_letter(case, judged.letters[place])
        return
    decision = judged.decisions[place]
    misrouted = [reason for reason in decision["reasons"] if reason["rule"] == "misrouted"]
    assert bool(misrouted) == (case.end == MISROUTED)
    assert decision["effect"] == ("deny" if misrouted else case.end)


def check_letter(case: Case, letter: dict[str, Any]) -> None:
    value = case.sent.value
    assert (letter["stage"], letter["topic"]) == (case.end, ACTIONS.name)
    assert case.why in letter["message"]
    assert letter["message"]
    assert letter["value"] == (None if value is None else value[:MAX_VALUE_BYTES])
    assert letter["value_bytes"] == (-1 if value is None else len(value))
    assert letter["value_sha256"] == (None if value is None else sha256(value).digest())


def test_nobody_else_is_touched(judged: Judged) -> None:
    assert not mistakes(judged.log, judged.source, judged.outputs)


def fewer(records: Records) -> Records:
    return {p: rs[:-1] for p, rs in records.items()}


def otherwise(records: Records, old: bytes, new: bytes) -> Records:
    assert any(old in (r.value or b"") for rs in records.values() for r in rs)
    return {
        p: [replace(r, value=r.value and r.value.replace(old, new)) for r in rs] for p, rs in records.items()
    }


def swapped(records: Records) -> Records:
    """Two agents' cells change places."""
    found = {}
    for p, rs in records.items():
        cells = {r.key: r.value for r in rs if r.key != PROGRESS_KEY and r.key.endswith(b"activity")}
        one, other, *_ = cells
        values = {one: cells[other], other: cells[one]}
        found[p] = [replace(r, value=values.get(r.key, r.value)) for r in rs]
    return found


TAMPERED: dict[str, Callable[[Outputs], Outputs]] = {
    "a decision is missing": lambda o: replace(o, decisions=fewer(o.decisions)),
    "a dead letter is missing": lambda o: replace(o, dead_letters=fewer(o.dead_letters)),
    "a letter's bytes are others": lambda o: replace(
        o, dead_letters=otherwise(o.dead_letters, b'{"action": "read:file"}', b'{"action": "read:mail"}')
    ),
    "a letter's reason is empty": lambda o: replace(
        o, dead_letters=otherwise(o.dead_letters, b"Malformed", b"Manifold!")
    ),
    "cells are another agent's": lambda o: replace(o, state=swapped(o.state)),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_the_checker_sees(judged: Judged, name: str) -> None:
    assert mistakes(judged.log, judged.source, TAMPERED[name](judged.outputs))


def test_all_of_it_is_archived(judged: Judged, clickhouse: str) -> None:
    counts = len(judged.decisions), len(judged.letters)
    assert sum(counts) == 2 * len(CASES)
    assert asyncio.run(Database(judged.log, clickhouse).archive(judged.prefix, sum(counts))) == counts
