"""Copies in memory for the verifier's own sources, in the shapes that the broker and ClickHouse yield."""

from collections.abc import Collection, Iterator
from types import SimpleNamespace
from typing import Any

from cli.ledger import sources
from cli.ledger.clickhouse import ClickHouseSource
from cli.ledger.kafka import KafkaSource
from cli.ledger.sources import Source, Wanted
from cli.ledger.verify import Evidence, Result, verify_log
from ledger.heads import PlacedNote
from ledger.keys import VerifyKey
from schemas.topics import DECISIONS, Topic
from tests.tampering.clean import Copy
from tests.tampering.formats import fields_of, read

COLUMNS = dict.fromkeys(field["name"] for field in fields_of(202))


class MemoryTopics:
    """`cli.ledger.topics.Topics` over values in memory: a value's place in its list is its offset."""

    def __init__(self, log_id: str, copy: Copy) -> None:
        self.logs = [sources.Log(log_id, p) for p in copy]
        self._copy = copy

    def name(self, topic: Topic) -> str:
        return topic.name

    def _values(self, topic: Topic, log: sources.Log) -> list[bytes]:
        held = self._copy[log.partition]
        return held.decisions if topic is DECISIONS else held.checkpoints

    def bounds(self, topic: Topic, log: sources.Log) -> tuple[int, int]:
        return 0, len(self._values(topic, log))

    def records(self, topic: Topic, log: sources.Log, bounds: tuple[int, int]) -> Iterator[Any]:
        for offset, value in enumerate(self._values(topic, log)):
            yield SimpleNamespace(topic=topic.name, partition=log.partition, offset=offset, value=value)

    def close(self) -> None: ...


class MemoryTables:
    """`cli.ledger.tables.Tables` over rows in memory; a row belongs to the log that it says itself."""

    database = "memory"

    def __init__(self, log_id: str, copy: Copy) -> None:
        self._decisions: dict[sources.Log, list[dict[str, Any]]] = {}
        self._checkpoints: dict[sources.Log, list[dict[str, Any]]] = {}
        self._leaves: dict[sources.Log, list[tuple[int, bytes]]] = {}
        for p, held in copy.items():
            for rows, values in ((self._decisions, held.decisions), (self._checkpoints, held.checkpoints)):
                for row in map(read, values):
                    rows.setdefault(sources.Log(row["log_id"], row["partition"]), []).append(row)
            if held.leaves:
                self._leaves[sources.Log(log_id, p)] = held.leaves

    def extents(self) -> dict[sources.Log, dict[str, int]]:
        found: dict[sources.Log, dict[str, int]] = {}
        for log, rows in self._decisions.items():
            found.setdefault(log, {})["decisions"] = max(row["seq"] for row in rows) + 1
        for log, leaves in self._leaves.items():
            found.setdefault(log, {})["leaves"] = max(seq for seq, _ in leaves) + 1
        for log, rows in self._checkpoints.items():
            found.setdefault(log, {})["checkpoints"] = max(row["size"] for row in rows)
        return found

    def ttl_days(self) -> int | None:
        return 400

    def checkpoints(self, log: sources.Log, up_to: int) -> Iterator[dict[str, Any]]:
        rows = [row for row in self._checkpoints.get(log, []) if row["size"] <= up_to]
        yield from sorted(rows, key=lambda row: (row["received_at"], row["size"]))

    def leaves(self, log: sources.Log, end: int) -> list[tuple[int, bytes]]:
        return sorted(one for one in self._leaves.get(log, []) if one[0] < end)

    def decisions(self, log: sources.Log, end: int) -> Iterator[dict[str, Any]]:
        for row in self._decisions.get(log, []):
            if row["seq"] < end:
                yield COLUMNS | row

    def some(self, log: sources.Log, seqs: Collection[int]) -> Iterator[dict[str, Any]]:
        return (row for row in self.decisions(log, 1 << 62) if row["seq"] in seqs)

    def signed_before(self, log: sources.Log, days: int) -> int:
        return 0

    def close(self) -> None: ...


def verify(
    log_id: str, copy: Copy, clickhouse: bool, keys: list[VerifyKey], witness: list[str]
) -> list[Result]:
    """What `praetor ledger verify` comes to on a copy, for each log that is there or the witness knows."""
    source: Source
    if clickhouse:
        source = ClickHouseSource(MemoryTables(log_id, copy))  # type: ignore[arg-type]
    else:
        source = KafkaSource(MemoryTopics(log_id, copy))  # type: ignore[arg-type]
    held: dict[str, list[PlacedNote]] = {}
    for number, note in enumerate(witness, 1):
        held.setdefault(note.split("\n", 1)[0], []).append(PlacedNote(f"witness, note {number}", note))
    there = set(source.logs())
    there |= {sources.Log(name.rpartition("/")[0], int(name.rpartition("/")[2])) for name in held}
    evidence, wanted = Evidence(keys, held), Wanted(records=True)
    return [verify_log(source, log, evidence, wanted, lambda _: None) for log in sorted(there)]
