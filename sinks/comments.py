"""Columns take their comments from the Avro fields of the same name, so that both say one thing."""

from clickhouse_connect.driver.client import Client

from schemas.catalogue import newest
from sinks.tables import TABLES

COLUMNS = """\
SELECT name, comment FROM system.columns WHERE database = currentDatabase() AND table = {table:String}
"""


def align_comments(client: Client) -> None:
    """Set each column's comment to its field's doc, where it differs. Metadata only: no data is touched."""
    for table in TABLES:
        rows = client.query(
            COLUMNS,
            parameters={"table": table.name},
        ).result_rows
        present = {str(name): str(comment) for name, comment in rows}
        fields = newest(table.record).definition["fields"]
        changes = [
            f"COMMENT COLUMN `{f['name']}` {literal(f['doc'])}"
            for f in fields
            if present.get(f["name"], f["doc"]) != f["doc"]
        ]
        if changes:
            client.command(f"ALTER TABLE {table.name} {', '.join(changes)}")


def literal(text: str) -> str:
    """A string literal of ClickHouse's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
