"""What a place that keeps the ledger offers, and decisions as the ledger's verifier takes them."""

from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, Protocol

from judgement.decision import TEXTS, bound_bytes
from ledger.checkpoint import origin
from ledger.findings import Finding, Kind, place_of
from ledger.heads import PlacedNote
from ledger.records import Record, RecordsReport, Text
from schemas.catalogue import schema

Advance = Callable[[int], None]


class Log(NamedTuple):
    """One partition's log."""

    log_id: str
    partition: int

    @property
    def origin(self) -> str:
        """Its name on checkpoints."""
        return origin(self.log_id, self.partition)


@dataclass(frozen=True)
class Wanted:
    """What to read beside leaves and notes.

    Attributes:
        records: check every decision's fields and texts against its leaf.
        keep: sequence numbers whose bound bytes are kept.
    """

    records: bool = False
    keep: Collection[int] = ()


@dataclass
class Stored:
    """What a place holds of one log.

    Attributes:
        notes: its checkpoints in the order of publication.
        leaves: (sequence number, leaf) of each decision as it says itself, in the order found.
        findings: what could not be read, or contradicts itself.
        records: what checking the decisions came to, where that was wanted.
        kept: by sequence number, the bytes under the leaf.
        gone: why the log cannot be whole here, in words; "" where it can.
        remarks: what else a person should know.
        not_excluded: what this place cannot rule out, in sentences.
    """

    notes: list[PlacedNote] = field(default_factory=list)
    leaves: list[tuple[int, bytes]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    records: RecordsReport | None = None
    kept: dict[int, bytes] = field(default_factory=dict)
    gone: str = ""
    remarks: list[str] = field(default_factory=list)
    not_excluded: list[str] = field(default_factory=list)


class Source(Protocol):
    """A place that keeps the ledger. Not thread-safe."""

    name: str

    def logs(self) -> list[Log]:
        """The logs that are here."""

    def work(self, log: Log) -> int:
        """About how far `read` of every record will advance."""

    def read(self, log: Log, wanted: Wanted, advance: Advance) -> Stored:
        """Read one log as it stands now; `advance` is called with the progress made since the last call."""

    def newest(self, log: Log) -> dict[str, Any] | None:
        """The newest checkpoint's record; None where there is none."""

    def close(self) -> None:
        """Disconnect."""


def ledger_record(decision: Mapping[str, Any]) -> Record:
    """A decision's record as the verifier takes it.

    Raises:
        KeyError, ValueError, TypeError: its fields do not fit its schema, or there are others beside them.
    """
    foreign = [name for name in decision.keys() - _fields(decision["schema"]) if decision[name] is not None]
    if foreign:
        raise ValueError(f"schema {decision['schema']} has no {', '.join(sorted(foreign))}")
    texts = [
        Text(name, decision[f"{name}_digest"], None if decision[name] is None else decision[name].encode())
        for name in TEXTS
        if decision[name] is not None or decision[f"{name}_digest"] is not None
    ]
    return Record(decision["seq"], decision["leaf"], [bound_bytes(decision)], decision["salt"], texts)


@cache
def _fields(schema_id: int) -> frozenset[str]:
    return frozenset(field["name"] for field in schema(schema_id).definition["fields"])


def misfit(log: Log, seq: int, error: Exception) -> Finding:
    """The finding for a decision whose fields do not fit its schema."""
    message = f"the record does not fit its schema: {type(error).__name__}: {error}"
    return Finding(Kind.LEAF_MISMATCH, place_of(log.origin, seq, seq), message)


def misplaced(log: Log, decision: Mapping[str, Any], before: int, offset: int) -> list[Finding]:
    """Findings for a decision that stands behind a later one, or says that it is of another log."""
    seq, messages = decision["seq"], []
    if seq < before:
        messages.append(f"stands behind seq {before}, at offset {offset}")
    if not belongs(log, decision):
        messages.append(f"a decision of {decision['log_id']}/{decision['partition']}, at offset {offset}")
    return [Finding(Kind.MISPLACED, place_of(log.origin, seq, seq), message) for message in messages]


def take_checkpoint(stored: Stored, log: Log, record: Mapping[str, Any], place: str) -> None:
    """Add a checkpoint's note; its record must be of the log, its size and root the note's."""
    size, root, note = record["size"], b64encode(record["root"]).decode(), record["note"]
    stored.notes.append(PlacedNote(place, note))
    if not belongs(log, record):
        message = f"the record says that it is of {record['log_id']}/{record['partition']}, not {log.origin}"
        stored.findings.append(Finding(Kind.BAD_CHECKPOINT, place, message))
    if not note.startswith(f"{log.origin}\n{size}\n{root}\n"):
        message = f"the record says size {size} of {log.origin}, but its note does not"
        stored.findings.append(Finding(Kind.BAD_CHECKPOINT, place, message))


def belongs(log: Log, record: Mapping[str, Any]) -> bool:
    """Whether a record says that it is of this log."""
    return (record["log_id"], record["partition"]) == log
