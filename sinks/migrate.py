"""Brings a database to the newest version: numbered SQL files, applied once each, never backwards.

A file is `NNNN_name.sql`. ClickHouse has no transactions over DDL, so each statement must be one that may
be repeated (IF NOT EXISTS): a migration cut off in the middle, or run by two at once, is simply run again.
A file that was applied is never changed; what it got wrong, a later one mends.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from clickhouse_connect.driver.client import Client

from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.comments import align_comments
from sinks.connection import connect, errors_of
from sinks.rollups import fill
from sinks.statements import split_statements

NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

# what follows a migration, before it counts as applied: may be repeated too
AFTERWARDS = {"0010_rollups.sql": fill}

TABLE = """\
CREATE TABLE IF NOT EXISTS migrations
(
    version UInt32 COMMENT 'The number of the file.',
    name String COMMENT 'The name of the file.',
    checksum String COMMENT 'SHA-256 of the file as it was applied, hex.',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When.'
)
ENGINE = MergeTree ORDER BY version
COMMENT 'Migrations that were applied; a row may be there twice where two ran at once.'
"""


@dataclass(frozen=True)
class Migration:
    """One file."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_migrations() -> tuple[Migration, ...]:
    """Return the files of this program, in order.

    Raises:
        PraetorError: a file's name is not NNNN_name.sql, or two have one number.
    """
    found: dict[int, Migration] = {}
    for file in sorted(files("sinks").joinpath("migrations").iterdir(), key=lambda f: f.name):
        match = NAME.fullmatch(file.name)
        if match is None or int(match[1]) in found:
            raise PraetorError(
                f"sinks/migrations/{file.name}: the name must be NNNN_name.sql, each number once"
            )
        found[int(match[1])] = Migration(int(match[1]), file.name, file.read_text(encoding="utf-8"))
    return tuple(found.values())


def pending(known: Sequence[Migration], applied: dict[int, tuple[str, str]]) -> list[Migration]:
    """Return what is still to be applied, in order.

    Args:
        known: the program's files.
        applied: the database's (name, checksum) by version.

    Raises:
        PraetorError: an applied file was changed since, the database is newer than this program, or a file
            came in below one that was applied.
    """
    by_version = {m.version: m for m in known}
    for version, (name, checksum) in sorted(applied.items()):
        ours = by_version.get(version)
        if ours is None:
            raise PraetorError(
                f"the database has migration {name}, which this version of praetor lacks: upgrade"
            )
        if ours.checksum != checksum:
            raise PraetorError(
                f"migration {ours.name} was changed after it had been applied (as {name}): restore the file, "
                "and put the change into a new one"
            )
    missing = [m for m in known if m.version not in applied]
    if missing and applied and missing[0].version < max(applied):
        raise PraetorError(
            f"migration {missing[0].name} is below {max(applied):04d}, which was applied: renumber it"
        )
    return missing


def read_applied(client: Client) -> dict[int, tuple[str, str]]:
    """Return (name, checksum) of what was applied, by version; {} for a database that was never migrated."""
    if not client.command("EXISTS TABLE migrations"):
        return {}
    rows = client.query(
        "SELECT version, any(name), any(checksum) FROM migrations GROUP BY version"
    ).result_rows
    return {int(version): (str(name), str(checksum)) for version, name, checksum in rows}


def migrate(settings: Settings, known: Sequence[Migration] | None = None) -> list[str]:
    """Make the database if it is not there, apply what is pending, and align the columns' comments.

    Returns:
        The names of what was applied.

    Raises:
        PraetorError: as `pending`, or ClickHouse refuses a statement.
        Unavailable: ClickHouse does not answer.
    """
    known = read_migrations() if known is None else known
    with errors_of(settings):
        server = connect(settings, "")
        server.command(f"CREATE DATABASE IF NOT EXISTS {quoted(settings.clickhouse_database)}")
        server.close()
        client = connect(settings)
        client.command(TABLE)
        todo = pending(known, read_applied(client))
        for migration in todo:
            for statement in split_statements(migration.text):
                client.command(statement)
            if afterwards := AFTERWARDS.get(migration.name):
                afterwards(client)
            row = [migration.version, migration.name, migration.checksum]
            client.insert("migrations", [row], column_names=["version", "name", "checksum"])
        align_comments(client)
        client.close()
    return [migration.name for migration in todo]


def status(settings: Settings) -> list[tuple[str, str]]:
    """Return each migration's file and `applied` or `pending`; also when there is no database yet.

    Raises:
        PraetorError: as `pending`.
        Unavailable: ClickHouse does not answer.
    """
    with errors_of(settings):
        server = connect(settings, "")
        there = server.command(f"EXISTS DATABASE {quoted(settings.clickhouse_database)}")
        server.close()
        applied: dict[int, tuple[str, str]] = {}
        if there:
            client = connect(settings)
            applied = read_applied(client)
            client.close()
    known = read_migrations()
    missing = {m.version for m in pending(known, applied)}
    return [(m.name, "pending" if m.version in missing else "applied") for m in known]


def need_migrated(settings: Settings) -> None:
    """Check that nothing is pending; a database newer than this program is accepted.

    Raises:
        PraetorError: migrations are pending; the message names the command.
        Unavailable: ClickHouse does not answer.
    """
    with errors_of(settings):
        client = connect(settings)
        applied = read_applied(client)
        client.close()
    lacking = [m.name for m in read_migrations() if m.version not in applied]
    if lacking:
        raise PraetorError(
            f"database {settings.clickhouse_database} lacks {', '.join(lacking)}: run `praetor db migrate`"
        )


def quoted(name: str) -> str:
    """An identifier in backticks."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
