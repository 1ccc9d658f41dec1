"""Puts exported rows back into an empty database: tables, then rows, then what is derived from rows.

While it is not finished the database says so (`MARKER`), and neither `migrations` nor the views are there: no
archive writes into it. One that was cut off is begun anew, but only by the same backup.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.connection import connect, errors_of
from sinks.migrate import AFTERWARDS, TABLE, Migration, quoted, read_migrations
from sinks.statements import split_statements
from sinks.tables import TABLES

MARKER = "restored_from"
MAKE_MARKER = f"""\
CREATE TABLE IF NOT EXISTS {MARKER} (backup String, state String) ENGINE = MergeTree ORDER BY tuple()
COMMENT 'This database was restored. Until the archive is told where to go on (praetor db rewind), none runs.'
"""
DERIVED = re.compile(r"CREATE\s+MATERIALIZED\s+VIEW", re.IGNORECASE)
NAMES = "SELECT name FROM system.tables WHERE database = {database:String} ORDER BY name"
INSERT_SETTINGS = {"insert_deduplicate": 0, "async_insert": 0, "max_partitions_per_insert_block": 0}


def applied_then(versions: Sequence[tuple[int, str, str]]) -> list[Migration]:
    """This program's files of the migrations that a backup had.

    Raises:
        PraetorError: the backup has others: a newer version of praetor made it.
    """
    ours = {m.version: m for m in read_migrations()}
    for version, name, checksum in versions:
        if version not in ours or ours[version].checksum != checksum:
            raise PraetorError(
                f"the backup was made with migration {name}, which this praetor lacks: upgrade"
            )
    return [ours[version] for version, _, _ in sorted(versions)]


def prepare(settings: Settings, backup: str) -> bool:
    """Make the database, and mark it as being restored; return whether a restore was begun before.

    Raises:
        PraetorError: it holds tables that this restore has not made.
        Unavailable: ClickHouse does not answer.
    """
    database = settings.clickhouse_database
    with errors_of(settings):
        server = connect(settings, "")
        server.command(f"CREATE DATABASE IF NOT EXISTS {quoted(database)}")
        names = [str(row[0]) for row in server.query(NAMES, {"database": database}).result_rows]
        server.close()
        client = connect(settings)
        found = marker(client)
        begun = found is not None and found[0] == backup
        if names and not begun and not (names == [MARKER] and found is None):
            client.close()
            raise PraetorError(
                f"database {database} is not empty (it has {', '.join(names[:5])}): a backup is restored into"
                " an empty one. Drop it first, or name another: PRAETOR_CLICKHOUSE_DATABASE"
            )
        client.command(MAKE_MARKER)
        mark(client, backup, "rows")
        for name in names:
            if name != MARKER:
                client.command(f"DROP TABLE {quoted(name)} SYNC")
        client.close()
    return begun


def marker(client: Client) -> tuple[str, str] | None:
    """Of which backup the database is, and how far that is; None where no restore is under way."""
    if not client.command(f"EXISTS TABLE {MARKER}"):
        return None
    rows = client.query("SELECT backup, state FROM {table:Identifier}", {"table": MARKER}).result_rows
    return (str(rows[-1][0]), str(rows[-1][1])) if rows else None


def unfinished(client: Client) -> str:
    """Why nothing may be archived into the database; "" where it was not restored, or that is over."""
    found = marker(client)
    if found is None:
        return ""
    if found[1] == "rows":
        return f"is being restored from backup {found[0]}, or that was cut off: repeat `praetor restore DIR`"
    return "was restored, and the archive does not know yet where to go on: run `praetor db rewind`"


def mark(client: Client, backup: str, state: str) -> None:
    """Say how far a restore is: `rows` while it runs, `archive` until the archive knows where to go on."""
    client.command(f"TRUNCATE TABLE {MARKER}")
    client.insert(MARKER, [[backup, state]], column_names=["backup", "state"])


def unmark(client: Client) -> None:
    """The restored database is like any other from now on."""
    client.command(f"DROP TABLE IF EXISTS {MARKER} SYNC")


def make_tables(client: Client, migrations: Sequence[Migration]) -> None:
    """Make the tables as these migrations do, without what fills one from another."""
    for statement in _statements(migrations):
        if not DERIVED.match(statement):
            client.command(statement)
    for name, merges in _expiring(client):
        # else rows that are past their time vanish while they are counted
        client.command(f"SYSTEM STOP {merges} {name}")


def _expiring(client: Client) -> list[tuple[str, str]]:
    """Our tables, and which merges take rows away; a backup of an earlier version had fewer tables."""
    there = {str(row[0]) for row in client.query("SHOW TABLES").result_rows}
    return [(t.name, "TTL MERGES" if t.dated else "MERGES") for t in TABLES if t.name in there]


def make_extra(client: Client, database: str, creates: Mapping[str, str]) -> None:
    """Make the tables that are not praetor's own, by their own statements.

    Raises:
        PraetorError: there are some, and the database has another name than theirs, which they contain.
    """
    there = {str(row[0]) for row in client.query("SHOW TABLES").result_rows}
    missing = [name for name in creates if name not in there]
    if missing and client.database != database:
        raise PraetorError(
            f"tables {', '.join(missing)} are not praetor's and belong to database {database}: restore there"
        )
    for name in missing:
        client.command(creates[name])


def make_views(client: Client, migrations: Sequence[Migration]) -> None:
    """Make what fills one table from another."""
    for statement in _statements(migrations):
        if DERIVED.match(statement):
            client.command(statement)


def _statements(migrations: Sequence[Migration]) -> Iterator[str]:
    for migration in migrations:
        yield from split_statements(migration.text)


def insert(client: Client, table: str, blocks: Iterator[bytes]) -> None:
    """Insert rows in ClickHouse's format Native."""
    client.raw_insert(table, insert_block=_flow(blocks), fmt="Native", settings=INSERT_SETTINGS)


def _flow(blocks: Iterator[bytes]) -> Any:
    yield from blocks


def count(client: Client, table: str) -> int:
    """How many rows a table has."""
    return int(str(client.command("SELECT count() FROM {table:Identifier}", {"table": table})))


def finish(client: Client, migrations: Sequence[Migration], backup: str) -> None:
    """Note the migrations as applied: from here on it is a database of praetor."""
    make_views(client, migrations)
    for migration in migrations:
        if afterwards := AFTERWARDS.get(migration.name):
            afterwards(client)
    for name, merges in _expiring(client):
        client.command(f"SYSTEM START {merges} {name}")
    client.command(TABLE)
    rows = [[m.version, m.name, m.checksum] for m in migrations]
    client.insert("migrations", rows, column_names=["version", "name", "checksum"])
    mark(client, backup, "archive")
