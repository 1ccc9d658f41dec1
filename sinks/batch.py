"""What one insert carries."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.catalogue import Schema
from schemas.codec import Record
from sinks.tables import Table


@dataclass(frozen=True)
class Batch:
    """Records of one partition, one schema and one month of `received_at`, in the partition's order.

    Attributes:
        table: where they go.
        schema: of all of them.
        bodies: their Avro without the prefix.
        token: names this content: the same token never goes with other content.
        first: the first record, decoded.
        last: the last record, decoded.
    """

    table: Table
    schema: Schema
    bodies: Sequence[bytes]
    token: str
    first: Record
    last: Record

    @property
    def rows(self) -> int:
        """How many records."""
        return len(self.bodies)
