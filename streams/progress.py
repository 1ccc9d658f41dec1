"""How far a partition has been judged: the last record of every transaction."""

from dataclasses import dataclass, field, replace

from judgement.engine import ENGINE, READABLE
from ledger.errors import LedgerError
from ledger.merkle import Frontier
from runtime.errors import Malformed, PraetorError
from schemas.codec import decode, encode

PROGRESS_KEY = b"\x00progress"
"""Reserved: no agent's key begins with a zero byte (schemas.keys.escape)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a partition stands. A value: judging makes a new one.

    Attributes:
        log_id: the log that the partition belongs to.
        next_source_offset: the next action to judge.
        next_seq: the next decision's number; equal to `frontier.size`.
        frontier: the right edge of the Merkle tree over the decisions' leaves.
        received_at: highest so far in milliseconds, dead letters included.
        control_offset: control offset of the newest judged batch; -1 before the first.
        engine: version of the judging code that wrote it.
    """

    log_id: str
    next_source_offset: int = 0
    frontier: Frontier = field(default_factory=Frontier)
    received_at: int = 0
    control_offset: int = -1
    engine: str = ENGINE

    @property
    def next_seq(self) -> int:
        """The next decision's number."""
        return self.frontier.size

    def to_bytes(self) -> bytes:
        """The framed Avro record."""
        return encode(
            "progress",
            {
                "log_id": self.log_id,
                "next_source_offset": self.next_source_offset,
                "next_seq": self.next_seq,
                "frontier": self.frontier.to_bytes(),
                "received_at": self.received_at,
                "control_offset": self.control_offset,
                "engine": self.engine,
            },
        )

    def skipped_to(self, offset: int) -> "Progress":
        """The same place, further on in the source: nothing between is judged."""
        return replace(self, next_source_offset=offset)


def read_progress(value: bytes | None, where: str) -> Progress:
    """Read a progress record of this engine or of one whose state it takes over.

    Raises:
        PraetorError: it does not decode, or an engine wrote it that this one does not know; `where` names the
            partition.
    """
    try:
        record = decode(value, "progress")
        frontier = Frontier.from_bytes(record["frontier"])
    except (Malformed, LedgerError) as error:
        raise _corrupt(where, str(error)) from error
    if frontier.size != record["next_seq"]:
        raise _corrupt(where, f"its tree has {frontier.size} leaves, its next number is {record['next_seq']}")
    if record["engine"] not in READABLE:
        raise PraetorError(
            f"{where} was judged by engine version {record['engine'][:32]}; this is version {ENGINE}, which"
            f" takes over from {', '.join(sorted(READABLE))}: an older version cannot go on with what a newer"
            " one judged. Run the praetor that wrote it, or a newer one (docs/operations/upgrades.md)"
        )
    return Progress(
        log_id=record["log_id"],
        next_source_offset=record["next_source_offset"],
        frontier=frontier,
        received_at=record["received_at"],
        control_offset=record["control_offset"],
        engine=record["engine"],
    )


def _corrupt(where: str, why: str) -> PraetorError:
    return PraetorError(
        f"the progress record of {where} is corrupt: {why}. Nothing is judged from it: find out what else "
        "writes to this topic (docs/operations/upgrades.md)"
    )
