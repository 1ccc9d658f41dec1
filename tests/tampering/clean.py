"""Honest logs by Praetor's own writers: sizes from 0 to some hundreds, several partitions, erased texts."""

import hashlib
import io
from dataclasses import dataclass, field
from random import Random

import fastavro

from judgement.decision import DecisionWriter
from ledger.checkpoint import Checkpoint, origin, sign_checkpoint
from ledger.keys import SigningKey
from ledger.merkle import Frontier
from schemas.action import read_action
from schemas.catalogue import schema
from schemas.codec import encode, encode_body
from schemas.verdict import Effect, Reason, Severity, Verdict
from tests.streams.fleet import action, framed
from tests.tampering.formats import avro, id_of, read

VERDICTS = (
    Verdict(Effect.allow),
    Verdict(
        Effect.deny,
        reasons=(
            Reason("shell", "no-rm", Effect.deny, "this deletes"),
            Reason("base", "all", Effect.allow, "fine"),
        ),
        severity=Severity.high,
        tags=("ASI02", "AML.T0053"),
    ),
    Verdict(
        Effect.modify, modified_arguments='{"path": "/tmp"}', limits_remaining={"calls": 3.0, "usd": 0.25}
    ),
    Verdict(
        Effect.require_approval, errors=("a rule failed",), approval_id="approval-1", duplicate_of="p/1/2"
    ),
)
START = 1_900_000_000_000


@dataclass
class Held:
    """What one place holds of one partition: `leaves` is ClickHouse's table of that name, None in Kafka."""

    decisions: list[bytes]
    checkpoints: list[bytes]
    leaves: list[tuple[int, bytes]] | None = None

    def copy(self) -> "Held":
        leaves = None if self.leaves is None else list(self.leaves)
        return Held(list(self.decisions), list(self.checkpoints), leaves)

    def sizes(self) -> list[int]:
        return [read(value)["size"] for value in self.checkpoints]


Copy = dict[int, Held]


@dataclass
class Log:
    """An honest log, and the secret key that signed it."""

    log_id: str
    key: SigningKey
    partitions: Copy = field(default_factory=dict)

    def copy(self, clickhouse: bool) -> Copy:
        """What Kafka or ClickHouse holds of it."""
        copies = {p: held.copy() for p, held in self.partitions.items()}
        for held in copies.values() if clickhouse else ():
            held.leaves = [(row["seq"], row["leaf"]) for row in map(read, held.decisions)]
        return copies


def a_log(seed: int, partitions: int = 3, most: int = 300) -> Log:
    """A log whose partitions have 0 to `most` decisions, mostly few."""
    dice = Random(seed)
    log_id = f"praetor-{dice.randbytes(6).hex()}"
    log = Log(log_id, SigningKey(log_id, dice.randbytes(32)))
    erase = dice.choice((0, 0, 0.1, 1))
    for partition in range(partitions):
        size = dice.choice((0, 1, 2, 3, dice.randrange(most + 1), dice.randrange(most // 4 + 1)))
        log.partitions[partition] = a_partition(dice, log, partition, size, erase)
    return log


def a_partition(dice: Random, log: Log, partition: int, size: int, erase: float = 0) -> Held:
    """Decisions in batches; after some a checkpoint as the signer makes it, now and then twice."""
    writer, frontier, held = DecisionWriter(log.log_id, partition), Frontier(), Held([], [])
    writer.under(hashlib.sha256(b"bundle").hexdigest(), 3)
    now = START + dice.randrange(10**9)
    while frontier.size < size:
        count = min(size - frontier.size, dice.choice((1, 2, 7, 40)))
        leaves = []
        for seq in range(frontier.size, frontier.size + count):
            now += dice.choice((0, 0, 1, 1000))
            taken = read_action(_action(dice), now)
            value, leaf = writer.write(taken, dice.choice(VERDICTS), seq + 5, seq)
            held.decisions.append(erased(value) if dice.random() < erase else value)
            leaves.append(leaf)
        frontier = frontier.extend(leaves)
        times = dice.choice((0, 1, 1, 1, 2)) or not held.checkpoints  # the first comes within a second
        for _ in range(times):
            held.checkpoints.append(_signed(log, partition, frontier, now))
    return held


def _action(dice: Random) -> bytes:
    fields = action(dice, f"agent-{dice.randrange(9)}", cost_usd=dice.choice((0.0, 0.25)))
    if dice.random() < 0.6:
        fields |= {"tool": "tool", "arguments": f'{{"n": {dice.randrange(10**6)}}}'}
    if dice.random() < 0.2:
        fields |= {"content": "é" * dice.randrange(1, 30), "labels": {"a": "1", "b": "2"}}
    if dice.random() < 0.2:
        fields |= {"salt": None, "session_id": None}
    old = schema(101)
    return old.prefix + encode_body(old, fields) if dice.random() < 0.3 else framed(fields)


def _signed(log: Log, partition: int, frontier: Frontier, now: int) -> bytes:
    root = frontier.root()
    note = sign_checkpoint(Checkpoint(origin(log.log_id, partition), frontier.size, root), log.key)
    fields = {"log_id": log.log_id, "partition": partition, "size": frontier.size}
    return encode("checkpoint", fields | {"root": root, "received_at": now, "note": note})


def erased(value: bytes) -> bytes:
    """A decision whose free texts were erased, as `praetor erase` leaves it."""
    row = read(value) | {"arguments": None, "content": None, "modified_arguments": None, "salt": None}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, avro(id_of(value)), row)
    return value[:5] + out.getvalue()
