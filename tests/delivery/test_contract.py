"""What every destination must withstand, by one body: afterwards everything has arrived under its id."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from consumers.delivery.sending import Sender
from sinks.http import Outbound
from sinks.outbound import Allowed
from sinks.registry import SINKS, make_sink
from sinks.sink import Event
from tests.delivery.line import Line
from tests.delivery.making import QUICK, event
from tests.delivery.remotes import Elastic, File, Remote, Splunk, Syslog, Web, Webhook
from tests.delivery.remotes_cloud import Datadog, Otlp, Secops, Sentinel
from tests.delivery.remotes_kafka import KafkaTopic
from tests.delivery.remotes_s3 import S3
from tests.delivery.stage import destination
from tests.delivery.tls import serving, trusting

# a server's wrap_socket leaves a socket open that was reset before it could shake hands (CPython 3.11)
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")

MANY = 12

REMOTES: dict[str, Callable[[str], Remote]] = {
    "webhook": lambda broker: Webhook(),
    "splunk_hec": lambda broker: Splunk(),
    "elastic": lambda broker: Elastic(),
    "otlp": lambda broker: Otlp(),
    "s3": lambda broker: S3(),
    "kafka": KafkaTopic,
    "sentinel": lambda broker: Sentinel(),
    "secops": lambda broker: Secops(),
    "datadog": lambda broker: Datadog(),
    "syslog": lambda broker: Syslog(),
    "syslog over tls": lambda broker: Syslog(serving()),
    "file": lambda broker: File(),
}
WIRED = [name for name in REMOTES if name != "file"]
ANSWERING = [name for name in WIRED if name != "kafka" and not name.startswith("syslog")]


def test_every_type_is_tried() -> None:
    assert {name.partition(" ")[0] for name in REMOTES} == set(SINKS)


class Meeting:
    """A sender, the line and the destination."""

    def __init__(self, remote: Remote, line: Line, sender: Sender, aside: list[Event]) -> None:
        self.remote = remote
        self.line = line
        self.sender = sender
        self.aside = aside
        self.sent = [event(n) for n in range(MANY)]

    async def complete(self) -> None:
        """Send all, and check that each has arrived, in order, and nothing was set aside."""
        await asyncio.wait_for(self.sender.send(self.sent), 60)
        arrived = list(dict.fromkeys(self.remote.arrived()))
        assert arrived == [e.id for e in self.sent]
        assert self.aside == []
        assert self.sender.check().ok


@asynccontextmanager
async def meeting(
    remote: Remote, folder: Path, front: ssl.SSLContext | None = None, **more: Any
) -> AsyncIterator[Meeting]:
    aside: list[Event] = []

    async def keep(kept: Event, reason: str, tries: int) -> None:
        aside.append(kept)

    with remote.running():
        async with Line(remote.port, front).laid() as line:
            to = remote.settings(line.port, folder) | more.pop("to", {})
            found = destination("one", to, **more)
            sender = Sender("one", make_sink(found, Outbound(Allowed(), trusting())), keep, 4, QUICK)
            try:
                yield Meeting(remote, line, sender, aside)
            finally:
                await sender.close()


@pytest.mark.parametrize("name", REMOTES)
async def test_well(name: str, tmp_path: Path, broker: str) -> None:
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        await met.complete()
        assert len(met.remote.arrived()) == MANY


@pytest.mark.parametrize("name", WIRED)
async def test_away_at_first_and_then_there(name: str, tmp_path: Path, broker: str) -> None:
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        await met.line.down()
        sending = asyncio.create_task(met.complete())
        await asyncio.sleep(0.3)
        assert not met.sender.check().ok
        await met.line.up()
        await sending


@pytest.mark.parametrize("name", WIRED)
async def test_slow(name: str, tmp_path: Path, broker: str) -> None:
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        met.line.delay = 0.1
        await met.complete()


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("name", ANSWERING)
async def test_not_now(name: str, status: int, tmp_path: Path, broker: str) -> None:
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        assert isinstance(met.remote, Web | S3)
        met.remote.tell(status, status)
        await met.complete()


@pytest.mark.parametrize("name", WIRED)
async def test_its_answer_is_lost(name: str, tmp_path: Path, broker: str) -> None:
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        met.line.cut_answers = 2
        await met.complete()


@pytest.mark.parametrize("name", WIRED)
async def test_killed_amid_a_batch(name: str, tmp_path: Path, broker: str) -> None:
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        met.line.cut_requests = 2
        await met.complete()


@pytest.mark.parametrize("name", WIRED)
async def test_a_connection_that_is_half_open(
    name: str, tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.http.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("sinks.kafka.TIMEOUT_MS", 300)
    monkeypatch.setattr("sinks.syslog.SECONDS", 0.3)
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        met.line.silent = True
        sending = asyncio.create_task(met.complete())
        await asyncio.sleep(1)
        assert not met.sender.check().ok
        met.line.silent = False
        await sending


@pytest.mark.parametrize("name", REMOTES)
async def test_we_are_killed_amid_a_batch(name: str, tmp_path: Path, broker: str) -> None:
    """Another process sends the whole again: ids are the same, so nothing is there that should not be."""
    async with meeting(REMOTES[name](broker), tmp_path) as met:
        sending = asyncio.create_task(met.sender.send(met.sent))
        await asyncio.sleep(0.02)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await met.complete()
        assert set(met.remote.arrived()) == {e.id for e in met.sent}


@pytest.mark.parametrize("name", [name for name in WIRED if not name.startswith("syslog")])
async def test_a_wrong_certificate_is_told_and_nothing_is_sent(
    name: str, tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.kafka.TIMEOUT_MS", 2000)
    remote = REMOTES[name](broker)
    remote.secure = True
    async with meeting(remote, tmp_path, serving(own=True)) as met:
        sending = asyncio.create_task(met.complete())
        while not met.sender.check().facts["reason"]:
            await asyncio.sleep(0.02)
        assert "certificate" in met.sender.check().facts["reason"]
        assert not remote.arrived()
        await met.line.down()
        met.line.context = serving()
        await met.line.up()
        await sending


async def test_a_syslog_receiver_with_a_wrong_certificate_is_sent_nothing(tmp_path: Path) -> None:
    async with meeting(Syslog(serving(own=True)), tmp_path) as met:
        sending = asyncio.create_task(met.complete())
        while not met.sender.check().facts["reason"]:
            await asyncio.sleep(0.02)
        assert "certificate is not trusted" in met.sender.check().facts["reason"]
        assert not met.remote.arrived()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_elastic_takes_some_of_a_batch(tmp_path: Path) -> None:
    remote = Elastic()
    async with meeting(remote, tmp_path) as met:
        remote.busy = 3
        await asyncio.wait_for(met.sender.send(met.sent), 60)
        assert sorted(remote.arrived()) == sorted(e.id for e in met.sent)


async def test_otlp_rejects_one_of_a_batch(tmp_path: Path) -> None:
    remote = Otlp()
    async with meeting(remote, tmp_path) as met:
        remote.poison = met.sent[5].id
        await asyncio.wait_for(met.sender.send(met.sent), 60)
        assert set(remote.arrived()) == {e.id for e in met.sent} - {remote.poison}
        assert [e.id for e in met.aside] == [remote.poison]


async def test_half_a_line_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    async with meeting(File(), tmp_path) as met:
        path = tmp_path / "out" / "events.jsonl"
        path.parent.mkdir()
        path.write_bytes(b'{"id": "log/0/0"}\n{"id": "lo')
        await met.complete()
        assert path.read_bytes().count(b"\n") == MANY + 1


async def test_a_full_file_is_put_aside(tmp_path: Path) -> None:
    async with meeting(File(), tmp_path) as met:
        met.sent = [event(n, resource="x" * 100_000) for n in range(30)]
        await met.complete()
        assert len(list((tmp_path / "out").iterdir())) == 4
