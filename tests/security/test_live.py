"""Workers at work on a secured broker: no secret on their pages, and a grant that is taken away meanwhile."""

import asyncio
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import cramjam
import pytest

from runtime.embedded.services import ClickHouse
from runtime.settings import Settings
from schemas.access import grants
from sinks.connection import connect
from sinks.migrate import migrate
from streams.acls import Allowed, apply_grants
from tests.operations.probing import Worker
from tests.security.conftest import Command
from tests.security.secured import SecuredBroker

# aiokafka does not wait for the end of a connection that did not work, nor of its first one
pytestmark = pytest.mark.filterwarnings("ignore:unclosed (transport|<s):ResourceWarning")

PASSWORD = "planted-clickhouse"
SECRETS = ("sesame", "planted", "c2VzYW1l", "cGxhbnRlZ")
PATIENCE = 90.0


class Site:
    """A log, its topics, its rules and all grants; ClickHouse with a password."""

    def __init__(self, folder: Path, broker: SecuredBroker, served: ClickHouse) -> None:
        self.broker, self.folder, self.count = broker, folder, 0
        self.settings = Settings(
            clickhouse_url=served.url, clickhouse_password=PASSWORD, clickhouse_database="live"
        )
        migrate(self.settings)

    def variables(self, principal: str) -> dict[str, str]:
        return {
            **self.broker.variables(principal),
            "PRAETOR_DATA": str(self.folder),
            "PRAETOR_CLICKHOUSE_URL": self.settings.clickhouse_url,
            "PRAETOR_CLICKHOUSE_PASSWORD": PASSWORD,
            "PRAETOR_CLICKHOUSE_DATABASE": "live",
            "PRAETOR_LOG_LEVEL": "debug",
        }

    def worker(self, name: str, tmp_path: Path) -> Worker:
        env = {**os.environ, **self.variables(name)}
        return Worker(tmp_path / f"{name}.log", env, "-m", "cli.main", name)

    def act(self, command: Command) -> None:
        """One action for each partition (of two), at least."""
        file = self.folder / "actions.jsonl"
        action = {"tenant": "acme", "occurred_at": "2026-11-20T12:00:00Z", "action": "exec:shell"}
        file.write_text(
            "".join(
                json.dumps({**action, "event_id": str(uuid4()), "agent_id": f"a-{n}"}) + "\n"
                for n in range(8)
            )
        )
        command(self.variables("producer"), "replay", str(file))
        self.count += 8

    def archived(self) -> int:
        client = connect(self.settings)
        found = int(str(client.command("SELECT count() FROM decisions")))
        client.close()
        return found

    def revoke(self, principal: str, operation: str, name: str) -> Callable[[], None]:
        """Take a grant away; returns what gives it back."""
        options = {"bootstrap_servers": self.broker.bootstrap}
        found = [g for g in grants(principal) if (g.operation, g.name) == (operation, name)]
        allowed = [Allowed(f"User:{principal}", grant) for grant in found]
        asyncio.run(self.broker.revoke(allowed))
        return lambda: asyncio.run(apply_grants(options, allowed))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    broker = SecuredBroker(tmp_path_factory.mktemp("live"))
    with ClickHouse(tmp_path_factory.mktemp("ch"), password=PASSWORD) as served, broker.broker:
        yield Site(tmp_path_factory.mktemp("log"), broker, served)


@pytest.fixture
def ready(site: Site, command: Command) -> Site:
    if not site.count:
        command(site.broker.variables(), "topics", "acls", "--apply")
        command(site.variables("admin"), "topics", "create", "--partitions", "2")
        command(site.variables("operator"), "policy", "publish")
    site.act(command)
    return site


def told(text: str) -> bool:
    return any(secret in text for secret in SECRETS)


def until(reached: Callable[[], bool], worker: Worker) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, worker.log.read_text()[-3000:]
        time.sleep(0.1)


def test_nothing_that_runs_tells_a_secret(ready: Site, command: Command, tmp_path: Path) -> None:
    with ready.worker("govern", tmp_path) as govern, ready.worker("archive", tmp_path) as archive:
        for worker in (govern, archive):
            worker.ready()
        until(lambda: ready.archived() == ready.count, archive)
        for worker in (govern, archive):
            pages = [str(worker.ask(path)) for path in ("/metrics", "/readyz", "/livez")]
            assert all(page.startswith("(200") for page in pages)
            assert not told(" ".join(pages))
        shown = command(ready.variables("doctor"), "config", "show")
        assert not told(shown + command(ready.variables("doctor"), "config", "show", "--json"))
        told_by_doctor = command(ready.variables("doctor"), "doctor", "--json")
        assert '"name": "govern", "state": "ok"' in told_by_doctor
        assert not told(told_by_doctor + command(ready.variables("doctor"), "doctor"))
    assert not told(govern.log.read_text() + archive.log.read_text())


def test_a_backup_holds_none(ready: Site, command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    said = command(ready.variables("backup"), "backup", str(folder), "--without-keys", "--json")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"settings.json", "manifest.json", "control.jsonl"} <= {path.name for path in files}
    keys = [path.read_text().strip() for path in (ready.folder / "keys").glob("*.key")]
    assert len(keys) == 2
    for path in files:
        data = path.read_bytes()
        text = (bytes(cramjam.zstd.decompress(data)) if path.suffix == ".zst" else data).decode(
            errors="replace"
        )
        assert not told(text), path
        assert not any(key in text for key in keys), path
    assert '"PRAETOR_CLICKHOUSE_PASSWORD"' in (folder / "settings.json").read_text()
    assert not told(said)


TAKEN = [
    ("Write", "agent.decisions"),
    ("Write", "agent.state"),
    ("Read", "agent.actions"),
    ("Read", "agent.control"),
    ("Write", "praetor-govern-"),
]


def test_govern_names_a_grant_that_is_taken_away_and_goes_on_when_it_is_back(
    ready: Site, command: Command, tmp_path: Path
) -> None:
    with ready.worker("govern", tmp_path) as govern:
        for operation, name in TAKEN:
            govern.ready()
            before = len(govern.log.read_text())
            named = re.compile(
                rf"Kafka does not let User:govern do [^\"]*{operation}[^\"]* {re.escape(name)}"
            )
            give_back = ready.revoke("govern", operation, name)
            try:
                ready.act(command)
                until(lambda: named.search(govern.log.read_text()[before:]) is not None, govern)  # noqa: B023
            finally:
                give_back()
            govern.until(
                "/readyz", lambda status, body: status == 200 and not body["checks"]["lag"]["records"]
            )
    assert not told(govern.log.read_text())


@pytest.mark.parametrize(
    ("part", "operation", "name", "told_of"),
    [
        ("archive", "Write", "agent.archive", "topic agent.archive"),
        ("govern", "Read", "praetor-govern-", "group praetor-govern-"),
    ],
)
def test_what_ends_names_the_grant_and_goes_on_when_it_is_back(
    ready: Site, command: Command, tmp_path: Path, part: str, operation: str, name: str, told_of: str
) -> None:
    with ready.worker("govern", tmp_path) as govern, ready.worker("archive", tmp_path) as archive:
        govern.ready()
        archive.ready()
        ending = {"govern": govern, "archive": archive}[part]
        give_back = ready.revoke(part, operation, name)
        try:
            ready.act(command)
            assert ending.process.wait(PATIENCE) == 1
            reason = ending.events()[-1]["reason"]
            assert f"User:{part} do " in reason
            assert operation in reason
            assert told_of in reason
        finally:
            give_back()
        with ready.worker(part, tmp_path) as again:
            until(lambda: ready.archived() == ready.count, again)
