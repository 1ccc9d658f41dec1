"""Each part of Praetor at work, once, by its front door: what raises is what a person would be told."""

import asyncio
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from structlog.testing import capture_logs
from typer.testing import CliRunner

from cli.main import app
from consumers.alert.alert import Alert
from consumers.alert.alert import Job as Alerts
from consumers.alert.alert import Target as Told
from consumers.archive import Archive, Job
from consumers.forward import Forward, Target
from consumers.place import Pace
from runtime.errors import PraetorError
from runtime.health import Health
from runtime.kafka import Options, common_options, started
from runtime.settings import Settings, load_settings
from schemas.topics import INCIDENTS
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.http import Outbound
from sinks.outbound import Allowed
from sinks.receivers import receiver_sink
from sinks.registry import make_sink
from store.store import Store
from streams.correlate.worker import Correlate
from streams.govern import Keys, Worker
from streams.keyring import CONTROL, LEDGER, read_signing_key, read_verify_keys
from tests.alert.stage import QUICK_ROUTE, alerting
from tests.delivery.stage import destination
from tests.security.secured import SecuredBroker

PARTITIONS = 2
ACTIONS = 8
PATIENCE = 60.0
Command = Callable[..., str]


class Parts:
    """One log on a secured broker, and a ClickHouse."""

    def __init__(self, secured: SecuredBroker, command: Command, folder: Path, clickhouse: Settings) -> None:
        self._secured, self._command, self._folder = secured, command, folder
        self._clickhouse = clickhouse

    def run(self, principal: str) -> None:
        """Let a part work until it has done all that it needs grants for."""
        getattr(self, principal)()

    def variables(self, principal: str) -> dict[str, str]:
        return {
            **self._secured.variables(principal),
            "PRAETOR_DATA": str(self._folder),
            "PRAETOR_CLICKHOUSE_URL": self._clickhouse.clickhouse_url,
            "PRAETOR_CLICKHOUSE_DATABASE": self._clickhouse.clickhouse_database,
        }

    def _settings(self, principal: str) -> Settings:
        values = {name.removeprefix("PRAETOR_").lower(): v for name, v in self.variables(principal).items()}
        return load_settings(Path(values.pop("data")), **values)

    def admin(self) -> None:
        asyncio.run(self._forget_a_topic())
        self._command(self.variables("admin"), "topics", "create", "--partitions", str(PARTITIONS), "--json")
        shown = json.loads(self._command(self.variables("admin"), "topics", "show", "--json"))
        assert all(wanted == real for row in shown for wanted, real in row["settings"].values())

    async def _forget_a_topic(self) -> None:
        options = {"bootstrap_servers": self._secured.bootstrap}
        admin = await started(AIOKafkaAdminClient(**options), options)
        await admin.delete_topics([INCIDENTS.name])
        while INCIDENTS.name in await admin.list_topics():
            await asyncio.sleep(0.05)
        await admin.close()

    def operator(self) -> None:
        self._command(self.variables("operator"), "policy", "publish")
        self._command(self.variables("operator"), "policy", "active")
        self._command(self.variables("operator"), "control", "list")
        self._command(self.variables("operator"), "control", "status")
        self._command(self.variables("operator"), "incident", "list")
        try:
            self._command(self.variables("operator"), "incident", "ack", "none")
        except PraetorError as error:
            if "no incident begins so" not in str(error):
                raise

    def producer(self) -> None:
        recording = self._folder / "actions.jsonl"
        action = {"tenant": "acme", "occurred_at": "2026-11-20T12:00:00Z", "action": "exec:shell"}
        recording.write_text(
            "".join(
                json.dumps({**action, "event_id": str(uuid4()), "agent_id": f"a-{n}"}) + "\n"
                for n in range(ACTIONS)
            )
        )
        self._command(self.variables("producer"), "replay", str(recording))

    def govern(self) -> None:
        keys = self._settings("govern").keys
        known = Keys(read_signing_key(keys, LEDGER), read_verify_keys(keys, CONTROL))
        with capture_logs() as log:
            asyncio.run(self._govern(Worker(common_options(self._settings("govern")), "", known), log))

    async def _govern(self, worker: Worker, log: list[dict[str, object]]) -> None:
        def judging() -> bool:
            stopped = [line for line in log if line["event"] == "partition stopped"]
            if stopped:
                raise PraetorError(stopped[0]["reason"])
            return sum(pipeline.position or 0 for pipeline in worker.pipelines.values()) > ACTIONS

        await _until(judging, worker)

    def archive(self) -> None:
        settings = self._settings("archive")
        job = Job(pace=Pace(dry=0.05, linger=0.2))
        asyncio.run(self._archive(Archive(common_options(settings), ClickHouseSink(settings), job)))

    async def _archive(self, archive: Archive) -> None:
        def archiving() -> bool:
            ready = [work for work in archive._work.values() if work.ready.is_set()]
            return len(ready) == PARTITIONS and self.archived() >= ACTIONS

        await _until(archiving, archive)

    def archived(self) -> int:
        client = connect(self._clickhouse)
        try:
            return int(client.command("SELECT count() FROM decisions"))
        finally:
            client.close()

    def forward(self) -> None:
        """To a file, under a name of its own: so it begins at the log's beginning each time."""
        settings = self._settings("forward")
        name = uuid4().hex
        path = self._folder / f"{name}.jsonl"
        to = destination(name, {"type": "file", "path": str(path)})
        target = Target(to, make_sink(to, Outbound(Allowed(), ssl.create_default_context())))

        def delivered() -> bool:
            return path.exists() and len(path.read_text().splitlines()) >= ACTIONS

        asyncio.run(self._forward(common_options(settings), target, delivered))

    async def _forward(self, options: Options, target: Target, delivered: Callable[[], bool]) -> None:
        await _until(delivered, Forward(options, [target]))

    def alert(self) -> None:
        """To a receiver that is never told anything: none of these actions is a threat."""
        settings, health = self._settings("alert"), Health()
        outbound = Outbound(Allowed(), ssl.create_default_context())
        found = alerting(
            {"name": "all", "receivers": ["hook"], **QUICK_ROUTE},
            receivers={"hook": {"type": "webhook", "url": "http://127.0.0.1:9"}},
        )
        targets = {n: Told(r, receiver_sink(r, outbound)) for n, r in found.receivers.items()}
        store = Store(f"sqlite:///{self._folder / uuid4().hex}.db")
        service = Alert(common_options(settings), Alerts(found.document, targets), store, health)

        def telling() -> bool:
            ready, told = health.ready()
            for reason in told["checks"].get("partitions", {}).get("stopped", {}).values():
                raise PraetorError(reason)
            return ready and "receiver hook" in told["checks"]

        asyncio.run(_until(telling, service))

    def correlate(self) -> None:
        settings = self._settings("correlate")
        service = Correlate(common_options(settings), "", read_verify_keys(settings.keys, CONTROL))

        def correlating() -> bool:
            return sum(piece.ready.is_set() for piece in service.pieces.values()) == PARTITIONS

        asyncio.run(_until(correlating, service))

    def auditor(self) -> None:
        self._command(self.variables("auditor"), "ledger", "verify", "--json")
        words = ("policy", "rejudge", "--partition", "0", "--sample", "3", "--from", "kafka")
        assert "equal" in self._command(self.variables("auditor"), *words)

    def redrive(self) -> None:
        self._command(self.variables("redrive"), "dead-letters", "list", "--json")
        self._command(self.variables("redrive"), "dead-letters", "redrive", "--all", "--force", "--json")

    def reconcile(self) -> None:
        path = self._folder / "reconciled.yaml"
        to = {"type": "file", "path": str(self._folder / "none.jsonl")}
        path.write_text(json.dumps(destination("none", to).document.model_dump(exclude_none=True)))
        variables = {**self.variables("reconcile"), "PRAETOR_DESTINATIONS": str(path)}
        self._command(variables, "reconcile", "--json")

    def backup(self) -> None:
        self._command(self.variables("backup"), "backup", str(self._folder / uuid4().hex), "--without-keys")

    def rewind(self) -> None:
        """To what ClickHouse holds, then to a database that holds nothing: one of them changes something."""
        variables = self.variables("rewind")
        self._command(variables, "db", "rewind", "--json")
        empty = {**variables, "PRAETOR_CLICKHOUSE_DATABASE": f"{self._clickhouse.clickhouse_database}_empty"}
        self._command(empty, "db", "migrate")
        assert json.loads(self._command(empty, "db", "rewind", "--json"))

    def doctor(self) -> None:
        """All that is wrong is that nobody works."""
        self.examined("doctor", {"govern", "archive"})

    def examined(self, principal: str, failing: set[str]) -> None:
        """Run the doctor; what it finds wrong with the grants is raised, all else is as expected."""
        told = CliRunner().invoke(app, ["doctor", "--json"], env=self.variables(principal))
        checks = json.loads(told.stdout.splitlines()[-1])
        found = {check["name"]: check for check in checks if check["state"] == "failed"}
        for name in ("grants", "kafka"):
            if name in found:
                assert name == "kafka" or "praetor topics acls doctor" in found[name]["remedy"]
                raise PraetorError(found[name]["found"])
        assert found.keys() == failing

    def garble(self) -> None:
        """Put what does not decode among the actions, as the super user."""
        asyncio.run(self._garble())

    async def _garble(self) -> None:
        options = {"bootstrap_servers": self._secured.bootstrap}
        producer = await started(AIOKafkaProducer(**options), options)
        await producer.send_and_wait("agent.actions", b"garbage", key=b"k", partition=0)
        await producer.stop()


async def _until(
    reached: Callable[[], bool], service: Worker | Archive | Forward | Alert | Correlate
) -> None:
    """Run a service until it has got there, then stop it in good order; what it raises is raised."""
    running = asyncio.create_task(service.run())
    deadline = time.monotonic() + PATIENCE
    try:
        while not running.done() and not reached():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
    finally:
        service.stop.set()
        await running
