"""The checker finds what it is for: each kind of damage to a true result is named."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest

from judgement.rules import compile_rules
from schemas.codec import decode, encode
from schemas.keys import agent_key, partition_of
from streams.partition import Partition, Place
from streams.progress import Progress
from tests.streams.exactly_once import violations
from tests.streams.fleet import Sent, fleet
from tests.streams.helpers import bundle
from tests.streams.reading import Outputs


@dataclass
class Stored:
    """A record as consumed."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def stored(records: list[Sent], partition: int) -> list[Stored]:
    """Records as a partition's log has them, its clock going backwards at times."""
    rng = Random(partition)
    mine = [r for r in records if r.partition == partition]
    return [
        Stored(offset, 1000 + offset + rng.randrange(-5, 5), r.key, r.value, r.headers)
        for offset, r in enumerate(mine)
    ]


def judged(source: list[Stored]) -> Outputs:
    partition = Partition(Place("log", 0, 2), Progress("log"), {})
    partition.under(compile_rules(bundle()), 1)
    batch = partition.judge(source)
    partition.commit(batch)
    decisions = [Stored(i, 0, k, v) for i, (k, v) in enumerate(batch.decisions)]
    dead = [Stored(i, 0, d.key, d.value) for i, d in enumerate(batch.dead_letters)]
    return Outputs({0: decisions}, {0: dead}, {0: []}, {0: []}, {0: partition.progress})


SOURCE = stored(list(fleet(1, 300, 2)), 0)


def edit(stored_record: Stored, **fields: Any) -> Stored:
    record = decode(stored_record.value, "decision")
    return replace(stored_record, value=encode("decision", {**record, **fields}))


def drop(outputs: Outputs) -> None:
    del outputs.decisions[0][7]


def drop_dead_letter(outputs: Outputs) -> None:
    del outputs.dead_letters[0][1]


def double(outputs: Outputs) -> None:
    outputs.decisions[0].insert(7, outputs.decisions[0][7])


def swap(outputs: Outputs) -> None:
    outputs.decisions[0][3:5] = reversed(outputs.decisions[0][3:5])


def both(outputs: Outputs) -> None:
    offset = decode(outputs.dead_letters[0][0].value, "dead_letter")["source_offset"]
    outputs.decisions[0][0] = edit(outputs.decisions[0][0], source_offset=offset)


def invent(outputs: Outputs) -> None:
    outputs.decisions[0][-1] = edit(outputs.decisions[0][-1], source_offset=10_000)


def change(outputs: Outputs) -> None:
    outputs.decisions[0][5] = edit(outputs.decisions[0][5], effect="modify")


def backdate(outputs: Outputs) -> None:
    outputs.decisions[0][5] = edit(outputs.decisions[0][5], received_at=1)


def truncate(outputs: Outputs) -> None:
    outputs.progress[0] = replace(outputs.progress[0], next_source_offset=3)


SABOTAGE: dict[Callable[[Outputs], None], str] = {
    drop: "has 0 outputs",
    drop_dead_letter: "has 0 outputs",
    double: "has 2 outputs",
    swap: "not in the order",
    both: "has 2 outputs",
    invent: "is no committed action",
    change: "leaf of seq 5",
    backdate: "received_at of offset",
    truncate: "progress stands at 3",
}


def test_a_true_result_has_no_violations() -> None:
    outputs = judged(SOURCE)
    assert outputs.dead_letters[0] and outputs.decisions[0]
    assert violations({0: SOURCE}, outputs) == []  # type: ignore[dict-item]


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_sabotage_is_named(sabotage: Callable[[Outputs], None]) -> None:
    outputs = judged(SOURCE)
    sabotage(outputs)
    assert any(SABOTAGE[sabotage] in found for found in violations({0: SOURCE}, outputs))


def test_the_partition_of_a_fleet_s_record_is_its_key_s() -> None:
    right = [r for r in fleet(2, 500, 7) if r.key and r.partition == partition_of(r.key, 7)]
    assert 450 < len(right) <= 500
    assert partition_of(agent_key("acme", "agent-1"), 7) == partition_of(b"acme/agent-1", 7)
