"""Seeded cases of every kind of tampering, in Kafka's copy of a log and in ClickHouse's."""

from dataclasses import dataclass
from functools import cache
from random import Random

from tests.tampering import flips, histories, moves
from tests.tampering.attack import Attack, Change, Kind, NotHere
from tests.tampering.clean import Copy, Log, a_log

BASES = 24
"""Honest logs that cases start from."""

KAFKA: dict[str, tuple[Kind, ...]] = {
    "flip": (
        flips.flip_any_bit,
        flips.flip_any_bit,
        flips.flip_text,
        flips.flip_salt,
        flips.flip_checkpoint_bit,
    ),
    "drop": (moves.drop,),
    "swap": (moves.swap_places, moves.swap_numbers, moves.swap_agents, moves.swap_checkpoints),
    "duplicate": (moves.duplicate, moves.duplicate_changed, moves.duplicate_checkpoint),
    "truncate": (histories.truncate, histories.truncate_checkpoints),
    "roll back": (histories.roll_back, histories.roll_back_and_go_on, histories.roll_back_to_nothing),
    "fork": (
        histories.fork_under_checkpoints,
        histories.fork_one_decision,
        histories.fork_by_another_key,
        histories.fork_by_the_key,
        histories.fork_unsigned,
    ),
    "re-sign": (histories.resign_all, histories.resign_one),
    "splice": (
        moves.splice_decision,
        moves.splice_into_tail,
        moves.splice_tail,
        moves.splice_checkpoint,
        moves.splice_whole,
    ),
}

CLICKHOUSE: dict[str, tuple[Kind, ...]] = KAFKA | {
    "flip": (
        flips.flip_column,
        flips.flip_column,
        flips.flip_unknown_column,
        flips.flip_text,
        flips.flip_salt,
        flips.flip_leaf,
        flips.flip_checkpoint_column,
    ),
    "swap": (*KAFKA["swap"], moves.swap_leaves),
    "splice": tuple(kind for kind in KAFKA["splice"] if kind is not moves.splice_into_tail),
}

KINDS = tuple(KAFKA)


@dataclass
class Case:
    """A copy of a log that was tampered with, and how."""

    seed: int
    kind: str
    log: Log
    copy: Copy
    clickhouse: bool
    change: Change

    def __str__(self) -> str:
        where = "ClickHouse" if self.clickhouse else "Kafka"
        return f"case {self.seed}: {self.kind} ({self.change.how}) in {where}, at {self.change.touched}"


@cache
def base(seed: int) -> Log:
    return a_log(seed)


def a_case(seed: int, log: Log | None = None) -> Case:
    """Case `seed`: its kind and place go round, so that every kind comes equally often in both copies."""
    dice = Random(f"case {seed}")
    kind, clickhouse = KINDS[seed // 2 % len(KINDS)], bool(seed % 2)
    ways = (CLICKHOUSE if clickhouse else KAFKA)[kind]
    way = ways[seed // (2 * len(KINDS)) % len(ways)]
    for _ in range(1000):
        one = log or base(dice.randrange(BASES))
        copy = one.copy(clickhouse)
        try:
            change = way(Attack(dice, one, copy, clickhouse))
        except NotHere:
            continue
        return Case(seed, kind, one, copy, clickhouse, change)
    raise NotHere(way)
