"""What must hold after whatever was done to the stack; each violation says what is wrong, and where."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from ledger.checkpoint import open_checkpoint, origin
from ledger.errors import LedgerError
from ledger.keys import VerifyKey
from ledger.merkle import Frontier
from schemas.catalogue import schema
from schemas.codec import PREFIX_BYTES, decode, encode_body, split_frame
from sinks.rows import read_records
from sinks.tables import CHECKPOINTS, DEAD_LETTERS, DECISIONS, SNAPSHOTS, THREATS, Table
from tests.chaos.traffic import Acknowledged
from tests.streams.exactly_once import violations
from tests.streams.reading import Outputs

SHOWN = 5
FIXED = ("decisions", "dead letters", "threats", "progress", "root")


def source_violations(source: dict[int, list[Any]], acknowledged: Sequence[Acknowledged]) -> list[str]:
    """What the broker acknowledged and does not have."""
    values = {p: {r.offset: r.value for r in records} for p, records in source.items()}
    return [
        f"agent.actions/{batch.partition} offset {offset}: acknowledged, but not what is there"
        for batch in acknowledged
        for offset, value in enumerate(batch.values, batch.first)
        if values[batch.partition].get(offset, b"nothing") != value
    ]


def kafka_violations(source: dict[int, list[Any]], live: Outputs, calm: Outputs) -> list[str]:
    """Whether each action has one output, and all is as in a run of the same log without faults."""
    found = [*violations(source, live), *(f"fault-free run: {what}" for what in violations(source, calm))]
    for p in source:
        for name, ours, theirs in zip(FIXED, live.fixed(p), calm.fixed(p), strict=True):
            if ours != theirs:
                found.append(f"partition {p}: {name} differ from the fault-free run{_first(ours, theirs)}")
    return found


def _first(ours: Any, theirs: Any) -> str:
    if not isinstance(ours, list) or not isinstance(theirs, list):
        return f": {ours} instead of {theirs}"
    place = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    first = min(len(ours), len(theirs)) if place is None else place
    return f", {len(ours)} to {len(theirs)}; first at number {first}"


def checkpoint_violations(live: Outputs, keys: Sequence[VerifyKey], log_id: str) -> list[str]:
    """Whether each checkpoint is signed, and its root is that of so many of the decisions there are."""
    found = []
    for p, records in live.checkpoints.items():
        leaves = [decode(r.value, "decision")["leaf"] for r in live.decisions[p]]
        tree, size = Frontier(), 0
        for record in sorted((decode(r.value, "checkpoint") for r in records), key=lambda c: c["size"]):
            tree, size = tree.extend(leaves[size : record["size"]]), record["size"]
            try:
                note = open_checkpoint(record["note"], keys, origin(log_id, p))
            except LedgerError as error:
                found.append(f"partition {p}: checkpoint of size {size}: {error}")
                continue
            if (note.size, note.root) != (size, tree.root()) or size > len(leaves):
                found.append(
                    f"partition {p}: checkpoint of size {size} is not of these {len(leaves)} decisions"
                )
    return found


def clickhouse_violations(client: Client, live: Outputs, log_id: str) -> list[str]:
    """Whether each row is a record of Kafka's, bit for bit, and each record is one row."""
    of: tuple[tuple[Table, dict[int, list[Any]]], ...] = (
        (DECISIONS, live.decisions),
        (THREATS, live.threats),
        (DEAD_LETTERS, live.dead_letters),
        (CHECKPOINTS, live.checkpoints),
        (SNAPSHOTS, live.snapshots),
    )
    found = [what for p in live.decisions for what in _numbers(client, p, len(live.decisions[p]), log_id)]
    for table, records in of:
        for p in records:
            found += _rows(client, table, p, [r.value for r in records[p]], log_id)
    for p, records_of in live.decisions.items():
        found += _leaves(client, p, [decode(r.value, "decision")["leaf"] for r in records_of], log_id)
    return found


def _where(log_id: str, partition: int) -> dict[str, Any]:
    return {"log_id": log_id, "partition": partition}


OURS = "WHERE log_id = {log_id:String} AND partition = {partition:Int32}"


def _numbers(client: Client, partition: int, wanted: int, log_id: str) -> list[str]:
    found = []
    for table in ("decisions", "leaves"):
        sql = f"SELECT count(), uniqExact(seq), min(seq), max(seq) FROM {table} {OURS}"
        count, distinct, first, last = client.query(sql, parameters=_where(log_id, partition)).result_rows[0]
        if (count, distinct) != (wanted, wanted) or (wanted and (first, last) != (0, wanted - 1)):
            found.append(
                f"partition {partition}: {table} has {count} rows with {distinct} numbers from {first} to "
                f"{last}; Kafka has {wanted} decisions"
            )
    return found


def _leaves(client: Client, partition: int, leaves: list[bytes], log_id: str) -> list[str]:
    sql = f"SELECT seq, hex(leaf) FROM leaves {OURS} ORDER BY seq"
    rows = {seq: leaf for seq, leaf in client.query(sql, parameters=_where(log_id, partition)).result_rows}
    wrong = [seq for seq, leaf in enumerate(leaves) if rows.get(seq, "") != leaf.hex().upper()]
    return [
        f"partition {partition}: the leaf of seq {seq} in ClickHouse is not Kafka's" for seq in wrong[:SHOWN]
    ]


def _rows(client: Client, table: Table, partition: int, values: list[bytes], log_id: str) -> list[str]:
    wanted = Counter(value[PREFIX_BYTES:] for value in values)
    places = {value[PREFIX_BYTES:]: number for number, value in enumerate(values)}
    of = schema(split_frame(values[0])[0]) if values else None
    there: Counter[bytes] = Counter()
    for record in read_records(client, table, OURS, _where(log_id, partition)):
        own = schema(record["schema"]) if "schema" in record else of
        there[encode_body(own, record) if own is not None else b""] += 1
    found = [
        f"partition {partition}: number {places.get(body, 'unknown')} of {table.record}s is "
        f"{there[body]} times in ClickHouse's {table.name}, {wanted[body]} times in Kafka"
        for body in [*wanted, *(b for b in there if b not in wanted)]
        if there[body] != wanted[body]
    ]
    return found[:SHOWN] + (
        [f"… and {len(found) - SHOWN} more in {table.name}"] if len(found) > SHOWN else []
    )
