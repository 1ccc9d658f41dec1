"""`praetor restore`: a backup into an empty ClickHouse database, verified; then the archive goes on."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from clickhouse_connect.driver.client import Client

from cli.backup import bar
from cli.backup_folder import Entry, Manifest, damaged, read_compressed, read_manifest
from cli.ledger.places import Place, opened
from cli.ledger.report import is_ok, tell
from cli.ledger.sources import Wanted
from cli.ledger.verify import Evidence, Result, verify_log
from cli.options import DataDir, JsonOutput
from cli.rewind import need_no_archive, rewind, told
from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings, load_settings
from sinks.connection import connect, errors_of
from sinks.migrate import migrate
from sinks.restoring import applied_then, count, finish, insert, make_extra, make_tables, prepare
from streams.keyring import LEDGER, read_verify_keys


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The backup's folder.")],
    keys: Annotated[
        bool, typer.Option("--with-keys/--without-keys", help="Put back keys that are not there.")
    ] = True,
    check: Annotated[bool, typer.Option("--check", help="Only check the backup's files.")] = False,
    beside: Annotated[
        bool, typer.Option("--beside", help="To read it or for practice: leave archives and progress alone.")
    ] = False,
    as_json: JsonOutput = False,
    data: DataDir = None,
) -> None:
    """Restore a backup into an empty ClickHouse database, verify its ledger, have the archive go on.

    Stop the archives first. A restore that was cut off is run again. The archive inserts what came after the
    backup from Kafka; where that is not there now: praetor db rewind, later.

    Example: praetor restore /backups/2026-11-20

    For practice: PRAETOR_CLICKHOUSE_DATABASE=practice praetor restore /backups/2026-11-20 --beside
    """
    manifest = read_manifest(folder)
    _check(folder, manifest)
    if check:
        typer.echo(json.dumps({"ok": True}) if as_json else f"{len(manifest.files)} files are as they were")
        return
    settings = load_settings(data)
    report: dict[str, Any] = {"backup": manifest.id, "database": settings.clickhouse_database}
    if settings.bootstrap and not beside:
        need_no_archive(settings)
    report["keys"] = _keys(folder, manifest, settings) if keys else []
    # before the rows: without a public key nothing would be verified in the end
    evidence = Evidence(read_verify_keys(settings.keys, LEDGER))
    report["rows"] = _rows(folder, manifest, settings)
    migrate(settings)
    results = _verify(settings, evidence) if manifest.ledgers else []
    report["short"] = _short(manifest, results)
    report["ok"] = is_ok(results) and not report["short"]
    report |= {"archive": [], "archive_later": ""} if beside else _archive(settings)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _tell(manifest, report, results)
    if not report["ok"]:
        raise typer.Exit(1)


def _check(folder: Path, manifest: Manifest) -> None:
    wrong = []
    with bar("checking", len(manifest.files)) as advance:
        for entry in manifest.files:
            advance(entry.path, 1)
            if why := damaged(folder, entry):
                wrong.append(f"{entry.path} {why}")
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise PraetorError(f"the backup in {folder} is damaged: {'; '.join(wrong[:10])}{more}")


def _rows(folder: Path, manifest: Manifest, settings: Settings) -> dict[str, int]:
    migrations = applied_then(manifest.migrations)
    prepare(settings, manifest.id)
    rows = {table.name: 0 for table in manifest.tables}
    with errors_of(settings):
        client = connect(settings)
        make_tables(client, migrations)
        make_extra(client, manifest.database, {t.name: t.create for t in manifest.tables})
        pieces = [entry for entry in manifest.files if entry.table]
        with bar("restoring", len(pieces)) as advance:
            for entry in pieces:
                advance(entry.path, 0)
                _insert(client, folder, entry, rows)
                advance(entry.path, 1)
        finish(client, migrations, manifest.id)
        client.close()
    return rows


def _insert(client: Client, folder: Path, entry: Entry, rows: dict[str, int]) -> None:
    if entry.rows:
        insert(client, entry.table, read_compressed(folder, entry))
    rows[entry.table] = rows.get(entry.table, 0) + entry.rows
    if (found := count(client, entry.table)) != rows[entry.table]:
        raise PraetorError(
            f"after {entry.path} table {entry.table} has {found} rows, not {rows[entry.table]}: something"
            " else writes to the database. Stop that (an archive?), and run this restore again"
        )


def _keys(folder: Path, manifest: Manifest, settings: Settings) -> list[str]:
    """Put back the keys that are not there; one that is there and another is kept, and that is an error."""
    written = []
    for entry in manifest.files:
        if not entry.path.startswith("keys/"):
            continue
        target, value = settings.keys / entry.path.removeprefix("keys/"), (folder / entry.path).read_bytes()
        if target.exists():
            if target.read_bytes() != value:
                raise PraetorError(
                    f"{target} is another key than the backup's: move it away, or restore --without-keys"
                )
            continue
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600)
        target.write_bytes(value)
        written.append(target.name)
    return written


def _verify(settings: Settings, evidence: Evidence) -> list[Result]:
    with opened(Place.clickhouse, settings) as source:
        logs = source.logs()
        with bar("verifying", sum(map(source.work, logs))) as advance:
            return [
                verify_log(source, log, evidence, Wanted(records=True), lambda n: advance("", n))
                for log in logs
            ]


def _short(manifest: Manifest, results: list[Result]) -> list[str]:
    """Ledgers that do not reach as far as the manifest says they did."""
    reached = {(r.log.log_id, r.log.partition): (r.report.leaves, r.report.verified) for r in results}
    wrong = []
    for ledger in manifest.ledgers:
        leaves, verified = reached.get((ledger.log_id, ledger.partition), (0, ()))
        if leaves != ledger.decisions or (ledger.checkpoint and ledger.checkpoint not in verified):
            wrong.append(f"{ledger.log_id}/{ledger.partition}")
    return wrong


def _archive(settings: Settings) -> dict[str, Any]:
    """Have the archive go on; where that cannot be now, say why."""
    if not settings.bootstrap:
        return {"archive": [], "archive_later": "no Kafka is known (PRAETOR_BOOTSTRAP)"}
    try:
        return {"archive": told(rewind(settings)), "archive_later": ""}
    except (PraetorError, Unavailable) as error:
        return {"archive": [], "archive_later": str(error)}


def _tell(manifest: Manifest, report: dict[str, Any], results: list[Result]) -> None:
    for table, rows in report["rows"].items():
        typer.echo(f"{table}: {rows} rows")
    if report["keys"]:
        typer.echo(f"keys put back: {', '.join(report['keys'])}")
    if results:
        tell(results)
    for origin in report["short"]:
        typer.echo(f"FALSE: {origin} does not reach as far as when it was backed up")
    typer.echo(f"restored the backup of {manifest.made_at} into database {report['database']}")
    for one in report["archive"]:
        typer.echo(f"the archive goes on at {one['topic']}/{one['partition']} offset {one['offset']}")
    if report["archive_later"]:
        typer.echo(
            f"The archive cannot go on yet: {report['archive_later']}. Then run: praetor db rewind", err=True
        )
