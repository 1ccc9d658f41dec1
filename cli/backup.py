"""`praetor backup`: ClickHouse's tables, the configuration and the keys, as files with their hashes."""

import asyncio
import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka import TopicPartition
from clickhouse_connect.driver.client import Client
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from cli.backup_folder import Entry, Ledger, Manifest, Table, begin, close, write_compressed, write_file
from cli.options import DataDir, JsonOutput
from runtime.errors import PraetorError
from runtime.kafka import Ends, common_options, read_partition
from runtime.settings import Settings, load_settings, origins, secret_names
from schemas.topics import CONTROL
from sinks.connection import connect, errors_of
from sinks.export import Cut, Piece, count, read, read_tables
from sinks.migrate import need_migrated, read_applied
from sinks.rollups import ROLLUPS

TRIES = 5
# made anew by a restore
LEFT_OUT = {"migrations", *(rollup.name for rollup in ROLLUPS)}


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    keys: Annotated[
        bool | None,
        typer.Option(
            "--with-keys/--without-keys",
            help="Whether the signing keys go into it: whoever has them can sign ledgers and orders.",
        ),
    ] = None,
    control: Annotated[
        bool, typer.Option("--with-control/--without-control", help="Keep the records of agent.control too.")
    ] = True,
    as_json: JsonOutput = False,
    data: DataDir = None,
) -> None:
    """Back up ClickHouse's tables, the configuration and the keys into a new folder, while all runs on.

    Kafka's topics are not in it, but for agent.control. docs/operations/backup.md says what that means.

    Example: praetor backup /backups/2026-11-20 --with-keys
    """
    if keys is None:
        raise PraetorError("say whether the signing keys go into the backup: --with-keys or --without-keys")
    settings = load_settings(data)
    need_migrated(settings)
    begin(folder)
    others = _configuration(folder, settings, data)
    others += _keys(folder, settings) if keys else []
    others += _control(folder, settings) if control else []
    with errors_of(settings):
        client = connect(settings)
        manifest = _tables(client, folder, settings.clickhouse_database)
        client.close()
    manifest = manifest.model_copy(
        update={"files": manifest.files + others, "keys": keys, "control": control}
    )
    close(folder, manifest)
    _tell(folder, manifest, as_json)


def _tables(client: Client, folder: Path, database: str) -> Manifest:
    stored = [t for t in read_tables(client) if not t.is_view and t.name not in LEFT_OUT]
    cut = Cut(client)
    pieces = {table.name: cut.pieces(table) for table in stored}
    files: list[Entry] = []
    with bar("backing up", sum(map(len, pieces.values()))) as advance:
        for piece in [p for of in pieces.values() for p in of]:
            advance(piece.name, 0)
            files.append(_export(client, folder, piece))
            advance(piece.name, 1)
    heads = cut.heads()
    return Manifest(
        id=str(uuid.uuid4()),
        praetor=version("praetor-server"),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        database=database,
        migrations=[(v, name, checksum) for v, (name, checksum) in sorted(read_applied(client).items())],
        ledgers=[
            Ledger(log_id=log, partition=p, decisions=end, checkpoint=heads.get((log, p), 0))
            for (log, p), end in sorted(cut.extents.items())
        ],
        tables=[
            Table(
                name=t.name,
                create=t.create,
                settings=t.engine_full,
                rows=sum(f.rows for f in files if f.table == t.name),
            )
            for t in stored
        ],
        files=files,
        keys=False,
        control=False,
    )


def _export(client: Client, folder: Path, piece: Piece) -> Entry:
    """Write one piece; again, where rows came or went while it was read."""
    path = f"tables/{piece.name}.native.zst"
    for _ in range(TRIES):
        before = count(client, piece)
        entry = write_compressed(folder, path, read(client, piece), piece.table, before)
        if count(client, piece) == before:
            return entry
    raise PraetorError(
        f"the rows of table {piece.table} change while they are read ({TRIES} tries): stop what changes them"
    )


def _configuration(folder: Path, settings: Settings, data: Path | None) -> list[Entry]:
    """The settings that are not the defaults, and where each came from; of secrets only that they are set."""
    where = origins(data)
    values = settings.model_dump(mode="json", include=set(where) - set(secret_names()))
    shown = {
        name: {"value": values.get(name, "(secret, not kept)"), "from": where[name]} for name in sorted(where)
    }
    return [write_file(folder, "settings.json", (json.dumps(shown, indent=1) + "\n").encode())]


def _keys(folder: Path, settings: Settings) -> list[Entry]:
    if not settings.keys.is_dir():
        raise PraetorError(f"there is no folder of keys {settings.keys}: name it, or leave keys out")
    files = sorted(path for path in settings.keys.rglob("*") if path.is_file())
    return [write_file(folder, f"keys/{p.relative_to(settings.keys)}", p.read_bytes()) for p in files]


def _control(folder: Path, settings: Settings) -> list[Entry]:
    """Every record of agent.control as it is: an object a line, the value in base64."""
    try:
        rows = asyncio.run(_control_records(settings))
    except PraetorError as error:
        raise PraetorError(f"{error} (or back up --without-control)") from error
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return [write_file(folder, "control.jsonl", text.encode())]


async def _control_records(settings: Settings) -> list[dict[str, Any]]:
    options, tp = common_options(settings), TopicPartition(CONTROL.name, 0)
    ends = Ends(options)
    await ends.start()
    try:
        start, end = await ends.beginning(tp), await ends.high_watermark(tp)
    finally:
        await ends.stop()
    return [
        {
            "offset": record.offset,
            "timestamp": record.timestamp,
            "value": None if record.value is None else base64.b64encode(record.value).decode(),
        }
        async for records in read_partition(options, tp, start, end, "read_uncommitted")
        for record in records
    ]


@contextmanager
def bar(what: str, total: int) -> Iterator[Any]:
    """A progress bar on standard error; the block gets `advance(description, steps)`."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda name, steps: progress.update(task, description=f"{what} {name}", advance=steps)


def _tell(folder: Path, manifest: Manifest, as_json: bool) -> None:
    size = sum(entry.bytes for entry in manifest.files)
    if as_json:
        told = {
            "folder": str(folder),
            "bytes": size,
            **manifest.model_dump(mode="json", exclude={"files", "tables"}),
            "tables": {table.name: table.rows for table in manifest.tables},
        }
        typer.echo(json.dumps(told))
        return
    for table in manifest.tables:
        typer.echo(f"{table.name}: {table.rows} rows")
    decisions = sum(ledger.decisions for ledger in manifest.ledgers)
    typer.echo(
        f"backed up {decisions} decisions of {len(manifest.ledgers)} partitions, {size} bytes, to {folder}; "
        f"{'the signing keys are in it: keep it secret' if manifest.keys else 'without keys'}"
    )
