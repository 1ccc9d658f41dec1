"""Which table keeps which record, and how the archive counts its own rows in it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table whose columns are the fields of one record.

    Attributes:
        name: of the table.
        record: the schema's name.
        numbered: rows have `seq`, one each without gaps in a partition: they are counted by it. Rows of
            other tables are counted by `archived_by`, the token of the insert that brought them.
        derived: tables that a materialized view fills with one row for each; counted along.
        dated: records have `received_at`, and the table is partitioned by its month.
        summed: views fill tables of sums, too (sinks/rollups.py), whose rows cannot be counted for one batch.
    """

    name: str
    record: str
    numbered: bool = False
    derived: tuple[str, ...] = ()
    dated: bool = True
    summed: bool = False


DECISIONS = Table("decisions", "decision", numbered=True, derived=("leaves",), summed=True)
THREATS = Table("threats", "threat")
CHECKPOINTS = Table("checkpoints", "checkpoint")
DEAD_LETTERS = Table("dead_letters", "dead_letter")
SNAPSHOTS = Table("snapshots", "snapshot")
INCIDENTS = Table("incidents", "incident", dated=False)
DELIVERIES = Table("deliveries", "delivery", dated=False)

TABLES = (DECISIONS, THREATS, CHECKPOINTS, DEAD_LETTERS, SNAPSHOTS, INCIDENTS, DELIVERIES)
