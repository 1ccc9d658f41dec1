"""Judging without a broker: one partition's memory, batch after batch."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from unittest import mock

import judgement.decision
from bench.load import make_actions, make_bundle, make_rules
from judgement.rules import Rules, compile_rules
from ledger.merkle import HASH_SIZE, Frontier
from streams.pace import MAX_ACTIONS
from streams.partition import Batch, Partition, Place
from streams.progress import Progress

LOG_ID = "praetor-bench"
START_MS = 1_790_000_000_000
ACTIONS_A_MS = 50
NOTHING = bytes(HASH_SIZE)


@dataclass(slots=True)
class Received:
    """A consumed record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


def receive(keyed: Iterable[tuple[bytes, bytes]], first: int = 0) -> list[Received]:
    """Records as a consumer gets them, 50 a millisecond."""
    return [Received(i, START_MS + i // ACTIONS_A_MS, k, v) for i, (k, v) in enumerate(keyed, first)]


def new_partition(rules: Rules) -> Partition:
    """The only partition of a log, at its beginning."""
    partition = Partition(Place(LOG_ID, 0, 1), Progress(LOG_ID), {})
    partition.under(rules, 0)
    return partition


def rules_of(count: int, per_agent: int = 0, detecting: bool = False) -> Rules:
    """Compiled rules (`make_rules`); where it is `detecting`, all shipped detections, too."""
    return compile_rules(make_bundle(make_rules(count, per_agent), detecting))


def judge_all(partition: Partition, records: Sequence[Received]) -> Iterator[tuple[float, Batch]]:
    """Judge and commit in govern's batches; yield CPU microseconds an action and the batch."""
    for first in range(0, len(records), MAX_ACTIONS):
        part = records[first : first + MAX_ACTIONS]
        started = time.process_time()
        batch = partition.judge(part)
        partition.commit(batch)
        yield (time.process_time() - started) / len(part) * 1e6, batch


def verdict_bytes() -> int:
    """What a decision has more than its action, on average over the fleet's actions."""
    records = receive(make_actions(MAX_ACTIONS, 100))
    batch = new_partition(rules_of(10)).judge(records)
    decisions = sum(len(value or b"") for _, value in batch.decisions)
    return round((decisions - sum(len(r.value or b"") for r in records)) / len(records))


def ledger_cost(rounds: int, actions: int) -> list[float]:
    """CPU microseconds an action that the ledger adds to judging, one figure a round."""
    records = receive(make_actions(actions, 100))
    rules = rules_of(10)
    costs = []
    for _ in range(rounds):
        whole = _total(rules, records)
        with _without_ledger():
            costs.append((whole - _total(rules, records)) / actions)
    return costs


def _total(rules: Rules, records: Sequence[Received]) -> float:
    found = judge_all(new_partition(rules), records)
    return sum(cost * (len(batch.decisions) + len(batch.dead_letters)) for cost, batch in found)


class _NoHash:
    """In place of SHA-256: what is hashed is still put together, as part of writing a decision."""

    def __init__(self, data: bytes) -> None: ...

    def digest(self) -> bytes:
        return NOTHING


def _no_digest(salt: bytes | None, field: str, text: bytes) -> bytes:
    return NOTHING


def _no_tree(frontier: Frontier, leaves: Sequence[bytes]) -> Frontier:
    size = frontier.size + len(leaves)
    return replace(frontier, size=size, peaks=(NOTHING,) * size.bit_count())


@contextmanager
def _without_ledger() -> Iterator[None]:
    with ExitStack() as changes:
        changes.enter_context(mock.patch.object(judgement.decision, "sha256", _NoHash))
        changes.enter_context(mock.patch.object(judgement.decision, "text_digest", _no_digest))
        changes.enter_context(mock.patch.object(Frontier, "extend", _no_tree))
        yield
