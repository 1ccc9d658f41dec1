"""What an agent's cells were, kept from time to time, so that a decision can be derived again from there.

A snapshot precedes the agent's first action of a day (UTC, by `received_at`) and every 1,000th action that it
does. Whether one is due is a function of the cells and `received_at` alone. A new agent has none: without a
snapshot and an earlier decision there is nothing to remember.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from detections.activity import CELL, CELL_BYTES, METERED_BYTES, counted
from runtime.errors import Malformed
from schemas.codec import Record, decode, encode

EVERY = 1_000
DAY_MS = 86_400_000
MAX_BYTES = 1 << 20


class Snapshot(NamedTuple):
    """An agent's cells before the action whose decision has this number."""

    seq: int
    received_at: int
    engine: str
    cells: dict[str, bytes]


def is_due(cells: Mapping[str, bytes], received_at: int) -> bool:
    """Whether a snapshot of these cells precedes an action of this time.

    One that cannot be counted (a cell that is not its own) has none: that costs length, not truth.
    """
    cell = cells.get(CELL, b"")
    if len(cell) not in (CELL_BYTES, METERED_BYTES):
        return False
    actions, last = counted(cell)
    return last // DAY_MS != received_at // DAY_MS or actions % EVERY == EVERY - 1


def snapshot_record(place: dict[str, Any], cells: Mapping[str, bytes]) -> bytes | None:
    """Frame a snapshot; None where it would be larger than 1 MiB: then derivation begins at an earlier one.

    `place` holds the record's other fields.
    """
    if sum(map(len, cells.values())) > MAX_BYTES:
        return None
    return encode("snapshot", {**place, "cells": cells})


def read_snapshot(value: bytes | None) -> Record:
    """Read a framed record.

    Raises:
        Malformed: it is none.
    """
    return decode(value, "snapshot")


def snapshot_of(record: Record) -> Snapshot:
    """What derivation needs of a record, whether from Kafka or from ClickHouse.

    Raises:
        Malformed: a field is not of its kind.
    """
    cells = record["cells"]
    if not isinstance(cells, dict):
        raise Malformed("a snapshot without cells")
    return Snapshot(record["seq"], record["received_at"], record["engine"], cells)
