"""A partition judged over days, without a broker: its control records, decisions and snapshots."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from cli.rejudging.past import Past
from cli.rejudging.stored import Stored
from ledger.keys import SigningKey, VerifyKey
from policies.bundle import pack_bundle
from schemas.codec import decode
from streams.keyring import CONTROL, create_key
from streams.orders import Order, sign_order
from streams.partition import Partition, Place
from streams.progress import Progress
from streams.snapshots import DAY_MS, Snapshot, read_snapshot, snapshot_of
from streams.standing_orders import payload
from tests.rejudge.bundles import remembering
from tests.streams.fleet import fleet
from tests.streams.rich import timed
from tests.streams.test_exactly_once import Stored as Source
from tests.streams.test_exactly_once import stored

LOG_ID = "log-of-the-test"
BUNDLES = 4
QUARANTINE = Order(
    LOG_ID,
    "quarantine",
    "author",
    50,
    payload(
        target={"kind": "agent", "tenant": "tenant-1", "agent": "agent-1"}, reason="one of its kind is a copy"
    ),
)
Records = list[tuple[int, bytes | None]]


def control_records(key: SigningKey, partitions: int = 1) -> Records:
    """The log's minting, some bundles, and records that are not believed between them."""
    minted = json.dumps({"log_id": LOG_ID, "partitions": partitions}).encode()
    values: list[bytes] = [sign_order(Order(LOG_ID, "log", "author", 1, minted), key)]
    for number in range(BUNDLES):
        packed = pack_bundle(remembering(number))
        values.append(sign_order(Order(LOG_ID, "bundle", "author", 2 + number, packed), key))
        values.append(b"not believed" if number % 2 else sign_order(QUARANTINE, key))
    return list(enumerate(values))


@dataclass
class MemoryStore:
    """One partition's decisions and snapshots, any of which may be taken away."""

    kept: dict[int, Stored] = field(default_factory=dict)
    taken: list[tuple[bytes, Snapshot]] = field(default_factory=list)
    end: int = 0
    place: str = "memory"

    def extent(self) -> tuple[int, int]:
        return min(self.kept, default=0), self.end

    def decisions(self, seqs: Collection[int]) -> list[Stored]:
        return [self.kept[seq] for seq in sorted(seqs) if seq in self.kept]

    def prepare(self, targets: Sequence[Stored]) -> None:
        pass

    def snapshots(self, target: Stored) -> list[Snapshot]:
        return [snapshot for agent, snapshot in self.taken if agent == target.agent]

    def of_agent(self, target: Stored, first: int, before: int) -> list[Stored]:
        found = (self.kept[seq] for seq in range(first, before) if seq in self.kept)
        return [one for one in found if one.agent == target.agent]

    def absent(self, first: int, before: int) -> int | None:
        return next((seq for seq in range(first, before) if seq not in self.kept), None)

    def since(self, received_at: int, before: int) -> int:
        return next(seq for seq, one in sorted(self.kept.items()) if one.record["received_at"] >= received_at)

    def earlier(self, target: Stored, before: int) -> int | None:
        found = [one for one in self.of_agent(target, 0, before) if not one.misrouted]
        return found[-1].seq if found else None

    def close(self) -> None:
        pass


def judge(source: Sequence[Source], past: Past, seed: int) -> MemoryStore:
    """Judge it in batches of any size, under one bundle after the other."""
    rng, store = Random(seed), MemoryStore()
    partition = Partition(Place(LOG_ID, 0, past.partitions), Progress(LOG_ID), {})
    at = 0
    while at < len(source):
        size = rng.randrange(1, 300)
        offset = 1 + at * 2 * BUNDLES // len(source)
        moment = past.at(offset)
        assert moment.rules is not None
        partition.under(moment.rules, offset, moment.canary)
        batch = partition.judge(source[at : at + size])
        partition.commit(batch)
        for _, value in batch.decisions:
            one = Stored(decode(value, "decision"))
            assert one.value == value
            store.kept[one.seq] = one
        store.taken += [(key or b"", snapshot_of(read_snapshot(value))) for key, value in batch.snapshots]
        at += size
    store.end = len(store.kept)
    return store


def over_days(count: int, agents: int, step_ms: int, seed: int) -> list[Source]:
    """A fleet's actions, each so much later than the one before; the second agent acts the most.

    Beside it agents begin to live two minutes before midnight, in whom there is much to be found.
    """
    found = []
    for number, record in enumerate(stored(list(fleet(seed, count, 1, agents)), 0)):
        found.append(replace(record, timestamp=20_000 * DAY_MS + number * step_ms))
    for after, sent in timed(seed, 1, count * step_ms // 2):
        found.append(Source(0, 20_001 * DAY_MS - 120_000 + after, sent.key, sent.value))
    found.sort(key=lambda record: record.timestamp)
    return [replace(record, offset=offset) for offset, record in enumerate(found)]


def keys(folder: Path) -> tuple[SigningKey, list[VerifyKey]]:
    """A control key made for the test."""
    key = create_key(folder, CONTROL, "author")
    return key, [key.verify_key]
