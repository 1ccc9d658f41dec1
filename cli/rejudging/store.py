"""What a place that keeps decisions and snapshots offers to whoever derives decisions again."""

from collections.abc import Collection, Sequence
from typing import Protocol

from cli.rejudging.stored import Stored
from streams.snapshots import Snapshot


class Store(Protocol):
    """One partition of one log. Numbers are those of decisions. Not thread-safe."""

    place: str

    def extent(self) -> tuple[int, int]:
        """The first decision that is kept, and the number after the last; equal where there is none."""

    def decisions(self, seqs: Collection[int]) -> list[Stored]:
        """Those decisions of these numbers that are kept, in order."""

    def prepare(self, targets: Sequence[Stored]) -> None:
        """Say which decisions will be derived, before anything of their agents is asked."""

    def snapshots(self, target: Stored) -> list[Snapshot]:
        """Those of its agent, in order."""

    def of_agent(self, target: Stored, first: int, before: int) -> list[Stored]:
        """Its agent's decisions between two numbers, in order, misrouted ones too."""

    def absent(self, first: int, before: int) -> int | None:
        """The first decision between two numbers that is not kept, whosever it is; None: all are."""

    def since(self, received_at: int, before: int) -> int:
        """The first kept decision before a number that is not older than a time (milliseconds)."""

    def earlier(self, target: Stored, before: int) -> int | None:
        """A decision of its agent before a number, not misrouted; None where none is kept."""

    def close(self) -> None:
        """Disconnect."""
