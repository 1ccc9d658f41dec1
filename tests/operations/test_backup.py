"""`praetor backup` and `restore`: rows come back as they were, and what came after is archived again."""

import asyncio
import json
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from consumers.archive import Archive, Job
from consumers.partition import Pace
from runtime.embedded.services import Broker
from runtime.errors import PraetorError
from runtime.kafka import group_members
from runtime.settings import Settings
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.rollups import differences
from tests.ledger_cli.helpers import Judged, judge_and_archive
from tests.streams.fleet import fleet
from tests.streams.helpers import Log

TABLES = (
    "decisions",
    "leaves",
    "threats",
    "dead_letters",
    "checkpoints",
    "snapshots",
    "incidents",
    "deliveries",
)
PLACE = {
    "leaves": "seq",
    "decisions": "seq",
    "threats": "seq, dedup_key",
    "dead_letters": "source_offset",
    "snapshots": "seq",
    "incidents": "incident_id, revision",
    "deliveries": "destination, first_offset",
}


class Site:
    """A log in Kafka, archived into a database that the test loses."""

    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        self.settings = judged.settings

    def praetor(self, *arguments: str, **env: str) -> Result:
        return CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200", **self.judged.env(), **env})

    def told(self, *arguments: str, **env: str) -> Any:
        result = self.praetor(*arguments, "--json", **env)
        assert result.exception is None, result.exception
        # an archive that runs in this process logs to the same place
        [answer] = [line for line in result.stdout.splitlines() if line[0] in "[{"]
        return json.loads(answer)

    def refused(self, *arguments: str, **env: str) -> str:
        result = self.praetor(*arguments, **env)
        assert isinstance(result.exception, PraetorError), result.output
        return str(result.exception)

    def ask(self, sql: str, database: str | None = None) -> list[tuple[Any, ...]]:
        client = connect(self.settings, database)
        try:
            return [tuple(row) for row in client.query(sql).result_rows]
        finally:
            client.close()

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows, without what the archive notes of its inserts: that is another one after a restore."""
        order = PLACE.get(table, "size, received_at")
        columns = "*" if table in ("decisions", "leaves") else "* EXCEPT (archived_by)"
        return self.ask(f"SELECT {columns} FROM {table} ORDER BY log_id, partition, {order}")

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        return {table: self.rows(table) for table in TABLES}

    def sums(self) -> int:
        """How many decisions are summed by day; each table of sums comes to what decisions hold."""
        client = connect(self.settings)
        assert differences(client) == []
        client.close()
        return int(self.ask("SELECT sum(actions) FROM actions_by_day")[0][0])

    def lose_clickhouse(self) -> None:
        client = connect(self.settings, "")
        client.command(f"DROP DATABASE {self.settings.clickhouse_database} SYNC")
        client.close()

    def judge_more(self, seed: int, actions: int = 40) -> int:
        """Judge more actions; return how many decisions there are then."""

        async def judge() -> int:
            log = self.judged.log
            outputs = await log.judge(
                self.judged.prefix, await log.send(fleet(seed, actions, log.partitions))
            )
            return sum(map(len, outputs.decisions.values()))

        return asyncio.run(judge())

    def archive(self, decisions: int, checkpoints: int | None = None) -> None:
        """Run an archive until it has so many decisions, and all that came with them."""

        async def run() -> None:
            job = Job(self.judged.prefix, pace=Pace(dry=0.05, linger=0.2))
            archive = Archive(self.judged.log.options, ClickHouseSink(self.settings), job)
            task = asyncio.create_task(archive.run())
            outputs = await self.judged.log.read(self.judged.prefix)
            held = (outputs.decisions, outputs.threats, outputs.dead_letters, outputs.checkpoints)
            wanted = [sum(map(len, of.values())) for of in held]
            assert wanted[0] == decisions
            sql = "SELECT " + ", ".join(
                f"(SELECT count() FROM {t})" for t in ("decisions", "threats", "dead_letters", "checkpoints")
            )
            while list((await asyncio.to_thread(self.ask, sql))[0]) != wanted:
                assert not task.done(), await task
                await asyncio.sleep(0.1)
            archive.stop.set()
            await task

        asyncio.run(run())

    def verify(self) -> None:
        for place in ("clickhouse", "both"):
            answer = self.judged.run("verify", "--from", place, "--json")
            assert (answer.code, answer.findings()) == (0, []), place


@pytest.fixture(scope="module")
def module_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="module")
def log(module_broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Log:
    return Log(module_broker.bootstrap, tmp_path_factory.mktemp("keys"), 2)


@pytest.fixture(scope="module")
def site(log: Log, clickhouse: str) -> Site:
    settings = Settings(
        bootstrap=log.bootstrap, clickhouse_url=clickhouse, clickhouse_database=f"backup_{uuid4().hex[:8]}"
    )
    return Site(asyncio.run(judge_and_archive(log, settings, rounds=2, actions=60)))


def test_after_a_restore_the_archive_goes_on_and_every_row_is_there_once(site: Site, tmp_path: Path) -> None:
    made = site.told("backup", str(tmp_path / "b"), "--with-keys")
    before = site.everything()
    assert made["tables"] == {table: len(rows) for table, rows in before.items()}

    later = site.judge_more(101)
    site.archive(later)
    whole = site.everything()
    unarchived = site.judge_more(102)
    assert unarchived > later > len(before["decisions"])

    site.lose_clickhouse()
    report = site.told("restore", str(tmp_path / "b"))
    assert report["ok"] and report["archive_later"] == ""
    assert {one["topic"].removeprefix(site.judged.prefix) for one in report["archive"]} >= {
        "agent.decisions",
        "agent.checkpoints",
    }
    assert site.everything() == before
    assert site.sums() == len(before["decisions"])

    site.archive(unarchived)
    assert site.sums() == unarchived
    after = site.everything()
    for table, rows in whole.items():
        # a worker that starts signs the tree again, so that checkpoints may be there twice in Kafka too
        assert Counter(map(repr, rows)) <= Counter(map(repr, after[table])), f"{table}: none lost"
    for table in ("decisions", "leaves", "threats", "dead_letters"):
        assert len(set(map(repr, after[table]))) == len(after[table]), f"{table}: none twice"
    assert [len(after[t]) for t in ("decisions", "leaves")] == [unarchived, unarchived]
    site.verify()
    assert site.told("db", "rewind") == [], "nothing is to be set back"


def test_a_backup_taken_while_all_runs_is_one_moment(site: Site, tmp_path: Path) -> None:
    log, prefix = site.judged.log, site.judged.prefix

    async def work() -> None:
        archive = Archive(log.options, ClickHouseSink(site.settings), Job(prefix, pace=Pace(0.01, 0.02)))
        archiving = asyncio.create_task(archive.run())
        async with log.working(prefix), log.following(prefix) as following:
            before = (await asyncio.to_thread(site.ask, "SELECT count() FROM decisions"))[0][0]
            ends = await log.send(fleet(200, 200, log.partitions))
            while (await asyncio.to_thread(site.ask, "SELECT count() FROM decisions"))[0][0] == before:
                await asyncio.sleep(0.01)
            folder = str(tmp_path / "b")
            backup = asyncio.create_task(asyncio.to_thread(site.told, "backup", folder, "--without-keys"))
            seed = 201
            while not backup.done():
                ends = await log.send(fleet(seed, 100, log.partitions))
                seed += 1
            await backup
            await following.reach(ends)
        archive.stop.set()
        await archiving

    asyncio.run(work())
    total = site.judge_more(300)
    site.archive(total)
    whole = site.everything()
    site.lose_clickhouse()
    assert site.told("restore", str(tmp_path / "b"))["ok"]
    restored = site.everything()
    assert len(restored["decisions"]) == len(restored["leaves"]) < total
    site.archive(total)
    for table, rows in site.everything().items():
        assert Counter(map(repr, rows)) == Counter(map(repr, whole[table])), table
    site.verify()


def test_while_an_archive_runs_a_restore_is_for_practice_only(site: Site, tmp_path: Path) -> None:
    folder, practice = str(tmp_path / "b"), {"PRAETOR_CLICKHOUSE_DATABASE": f"practice_{uuid4().hex[:8]}"}
    options, prefix = site.judged.log.options, site.judged.prefix
    group = f"{prefix}praetor-archive-{site.judged.log.view.log_id}"
    made = site.told("backup", folder, "--without-keys")

    async def work() -> None:
        archive = Archive(options, ClickHouseSink(site.settings), Job(prefix))
        archiving = asyncio.create_task(archive.run())
        while not await group_members(options, group):
            await asyncio.sleep(0.05)
        said = await asyncio.to_thread(lambda: site.refused("restore", folder, **practice))
        assert "`praetor archive` is running (1 in group" in said and "--archives 0" in said
        report = await asyncio.to_thread(lambda: site.told("restore", folder, "--beside", **practice))
        assert report["ok"] and report["rows"] == made["tables"]
        assert (report["archive"], report["archive_later"]) == ([], "")
        archive.stop.set()
        await archiving

    asyncio.run(work())
    assert site.told("db", "rewind") == [], "the archive's progress was left alone"


def test_what_a_restore_refuses(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    assert "--with-keys or --without-keys" in site.refused("backup", str(folder))
    site.told("backup", str(folder), "--without-keys")
    assert "holds a backup: name a new folder" in site.refused("backup", str(folder), "--without-keys")
    assert "is not empty (it has actions_by_day" in site.refused("restore", str(folder))
    assert "no manifest.json" in site.refused("restore", str(tmp_path))
    assert site.told("restore", str(folder), "--check") == {"ok": True}

    piece = next((folder / "tables").glob("decisions*"))
    good = piece.read_bytes()
    piece.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    (folder / "settings.json").unlink()
    said = site.refused("restore", str(folder))
    assert f"{piece.name} its SHA-256 is another" in said and "settings.json is missing" in said
    piece.write_bytes(good)
    manifest = json.loads((folder / "manifest.json").read_text())
    for changed, why in (
        ({"format": 2}, "format 2; this praetor reads format 1: upgrade"),
        ({"later": 1}, "later: Extra inputs are not permitted"),
    ):
        (folder / "manifest.json").write_text(json.dumps(manifest | changed))
        assert why in site.refused("restore", str(folder), "--check")
    newer = {"migrations": [*manifest["migrations"], [9999, "9999_later.sql", "x"]]}
    newer["files"] = [f for f in manifest["files"] if f["path"] != "settings.json"]
    (folder / "manifest.json").write_text(json.dumps(manifest | newer))
    assert "9999_later.sql, which this praetor lacks: upgrade" in site.refused("restore", str(folder))


def test_a_restore_that_was_cut_off_is_run_again_and_nothing_archives_before(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.told("backup", str(tmp_path / "b"), "--without-keys")
    before = site.everything()
    site.lose_clickhouse()
    pieces = json.loads((tmp_path / "b" / "manifest.json").read_text())["files"]
    cut = tmp_path / "b" / [f["path"] for f in pieces if f["table"] == "leaves"][-1]
    good = cut.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("cli.restore._check", lambda folder, manifest: cut.unlink())
        result = site.praetor("restore", str(tmp_path / "b"))
    assert result.exception is not None, "the files went away under it"
    cut.write_bytes(good)
    with pytest.raises(PraetorError, match="is being restored from backup"):
        ClickHouseSink(site.settings).open()
    said = site.refused("restore", str(tmp_path / "b"), PRAETOR_BOOTSTRAP="", PRAETOR_KEYS_DIR="/nowhere")
    assert "/nowhere" in said
    report = site.told("restore", str(tmp_path / "b"), PRAETOR_BOOTSTRAP="")
    assert report["ok"] and "no Kafka is known" in report["archive_later"]
    assert site.everything() == before
    with pytest.raises(
        PraetorError, match="the archive does not know yet where to go on: run `praetor db rewind`"
    ):
        ClickHouseSink(site.settings).open()
    assert site.told("db", "rewind") == [], "the archive had archived no more than this"
    ClickHouseSink(site.settings).open()
    site.verify()


def test_keys_and_settings_are_in_it_and_secrets_are_not(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    secret = "a-password-of-nobody"
    site.told("backup", str(folder), "--with-keys", PRAETOR_CLICKHOUSE_PASSWORD=secret)
    assert all(secret.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    kept = json.loads((folder / "settings.json").read_text())
    assert kept["clickhouse_database"]["value"] == site.settings.clickhouse_database
    assert kept["clickhouse_password"]["value"] == "(secret, not kept)"
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert (folder / "keys" / "ledger.key").read_bytes() == (site.judged.log.keys / "ledger.key").read_bytes()
    assert len((folder / "control.jsonl").read_text().splitlines()) == site.judged.log.view.offset + 2

    site.lose_clickhouse()
    elsewhere = tmp_path / "keys"
    elsewhere.mkdir()
    (elsewhere / "ledger.key").write_text("another")
    assert "is another key than the backup's" in site.refused(
        "restore", str(folder), PRAETOR_KEYS_DIR=str(elsewhere)
    )
    (elsewhere / "ledger.key").unlink()
    report = site.told("restore", str(folder), PRAETOR_KEYS_DIR=str(elsewhere))
    assert "ledger.key" in report["keys"] and report["ok"]
    assert stat.S_IMODE((elsewhere / "ledger.key").stat().st_mode) == 0o600


def test_what_is_in_neither_place_stops_the_archive_until_it_is_accepted(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    site.told("backup", str(folder), "--without-keys")
    total = site.judge_more(103)
    site.archive(total)
    site.lose_clickhouse()
    topic = f"{site.judged.prefix}agent.decisions"
    asyncio.run(site.judged.log.delete(topic, dict.fromkeys(range(site.judged.log.partitions), -1)))
    report = site.told("restore", str(folder))
    assert report["ok"] and "are neither in ClickHouse nor in Kafka any more" in report["archive_later"]
    with pytest.raises(PraetorError, match="praetor db rewind"):
        ClickHouseSink(site.settings).open()
    assert "a newer backup is needed" in site.refused("db", "rewind", "--accept-loss")
