"""Decisions and batches to insert."""

import itertools
import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from schemas.catalogue import newest
from schemas.codec import Record, encode_body
from sinks.batch import Batch
from sinks.tables import DECISIONS, Table

START_MS = 1_790_000_000_000

LOGS = itertools.count()


def decision(seq: int, log_id: str = "log", **values: Any) -> Record:
    chance = random.Random(seq)
    return {
        "event_id": str(UUID(int=chance.getrandbits(128))),
        "tenant": "acme",
        "agent_id": f"agent-{seq % 7}",
        "session_id": "s1",
        "occurred_at": (START_MS + seq) * 1000,
        "phase": "call",
        "mode": "observe",
        "action": "read:file",
        "resource": f"/srv/{seq}",
        "labels": {"team": "red"},
        "arguments": '{"path": "/srv"}',
        "salt": chance.randbytes(16),
        "effect": "deny",
        "policy_mode": "enforce",
        "reasons": [{"policy": "base", "rule": "r1", "effect": "deny", "message": "not yours"}],
        "severity": "high",
        "bundle": "sha256:" + "0" * 64,
        "control_offset": 1,
        "engine": "test",
        "log_id": log_id,
        "partition": 0,
        "source_offset": seq,
        "seq": seq,
        "received_at": START_MS + seq,
        "schema": newest("decision").id,
        "leaf": chance.randbytes(32),
        **values,
    }


def batch(records: Sequence[Record], token: str, table: Table = DECISIONS) -> Batch:
    of = newest(table.record)
    return Batch(table, of, [encode_body(of, record) for record in records], token, records[0], records[-1])


def placed(rows: list[dict[str, Any]], table: Table) -> str:
    """Give the records a log of their own and an order; returns the log."""
    log_id = f"log-{next(LOGS)}"
    for place, row in enumerate(rows):
        row |= {"log_id": log_id, "partition": place, "revision": place}
        if "schema" in row:
            row["schema"] = newest(table.record).id
    return log_id
