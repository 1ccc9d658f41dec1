"""What every receiver of alerts must withstand: the body of test_contract, over each of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from consumers.delivery.sending import Sender
from runtime.errors import PraetorError
from sinks.sink import Event
from tests.delivery.line import Line
from tests.delivery.making import QUICK
from tests.delivery.notifying import (
    Alertmanager,
    Apprise,
    Hook,
    Mail,
    PagerDuty,
    Slack,
    Teams,
    notification,
    sink,
)
from tests.delivery.remotes import Remote, Web
from tests.delivery.tls import serving

# a server's wrap_socket leaves a socket open that was reset before it could shake hands (CPython 3.11);
# aiosmtpd and apprise leave theirs to the collector where a line is cut
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning"),  # apprise has it
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MANY = 5

REMOTES: dict[str, Callable[[], Any]] = {
    "alertmanager": Alertmanager,
    "apprise": Apprise,
    "email with starttls": lambda: Mail(serving()),
    "email over tls": lambda: Mail(serving(), "tls"),
    "pagerduty": PagerDuty,
    "slack": Slack,
    "teams": Teams,
    "webhook": Hook,
}
ANSWERING = ["alertmanager", "apprise", "pagerduty", "slack", "teams", "webhook"]
MAILS = ["email with starttls", "email over tls"]


class Meeting:
    """A sender, the line and the receiver."""

    def __init__(self, remote: Remote, line: Line, sender: Sender, aside: list[Event]) -> None:
        self.remote = remote
        self.line = line
        self.sender = sender
        self.aside = aside
        self.sent = [notification(n) for n in range(MANY)]

    async def complete(self) -> None:
        """Send all, one a write as alert does, and check that each has arrived, in order."""
        await asyncio.wait_for(self.sender.send(self.sent), 60)
        assert list(dict.fromkeys(self.remote.arrived())) == [e.id for e in self.sent]
        assert self.aside == []
        assert self.sender.check().ok


@asynccontextmanager
async def meeting(name: str, folder: Path, most: int = 1) -> AsyncIterator[Meeting]:
    remote = REMOTES[name]()
    aside: list[Event] = []

    async def keep(kept: Event, reason: str, tries: int) -> None:
        aside.append(kept)

    with remote.running():
        async with Line(remote.port).laid() as line:
            sender = Sender("one", sink(remote.settings(line.port, folder)), keep, most, QUICK)
            try:
                yield Meeting(remote, line, sender, aside)
            finally:
                await sender.close()


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize("name", REMOTES)
async def test_well(name: str, most: int, tmp_path: Path) -> None:
    async with meeting(name, tmp_path, most) as met:
        await met.complete()
        assert len(met.remote.arrived()) == MANY


@pytest.mark.parametrize("name", REMOTES)
async def test_away_at_first_and_then_there(name: str, tmp_path: Path) -> None:
    async with meeting(name, tmp_path) as met:
        await met.line.down()
        sending = asyncio.create_task(met.complete())
        await asyncio.sleep(0.3)
        assert not met.sender.check().ok
        await met.line.up()
        await sending


@pytest.mark.parametrize("name", REMOTES)
async def test_slow(name: str, tmp_path: Path) -> None:
    async with meeting(name, tmp_path) as met:
        met.line.delay = 0.05
        await met.complete()


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("name", ANSWERING)
async def test_not_now(name: str, status: int, tmp_path: Path) -> None:
    async with meeting(name, tmp_path) as met:
        assert isinstance(met.remote, Web)
        met.remote.tell(status, status)
        await met.complete()


@pytest.mark.parametrize("name", MAILS)
async def test_a_mail_server_that_takes_nothing_now(name: str, tmp_path: Path) -> None:
    async with meeting(name, tmp_path) as met:
        assert isinstance(met.remote, Mail)
        met.remote.tell("451 try later", "452 no room")
        await met.complete()


@pytest.mark.parametrize("name", MAILS)
async def test_a_mail_that_is_refused_is_kept_aside(name: str, tmp_path: Path) -> None:
    async with meeting(name, tmp_path) as met:
        assert isinstance(met.remote, Mail)
        met.remote.tell(*["554 we do not like it"] * QUICK.tries)
        await asyncio.wait_for(met.sender.send(met.sent), 60)
        assert [e.id for e in met.aside] == [met.sent[0].id]
        assert list(met.remote.arrived()) == [e.id for e in met.sent[1:]]


@pytest.mark.parametrize("name", REMOTES)
async def test_its_answer_is_lost(name: str, tmp_path: Path) -> None:
    async with meeting(name, tmp_path) as met:
        met.line.cut_answers = 2
        await met.complete()


@pytest.mark.parametrize("name", REMOTES)
async def test_killed_amid_a_batch(name: str, tmp_path: Path) -> None:
    async with meeting(name, tmp_path) as met:
        met.line.cut_requests = 2
        await met.complete()


@pytest.mark.parametrize("name", REMOTES)
async def test_a_connection_that_is_half_open(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.http.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("sinks.mail.SECONDS", 0.5)
    async with meeting(name, tmp_path) as met:
        met.line.silent = True
        sending = asyncio.create_task(met.complete())
        await asyncio.sleep(1)
        assert not met.sender.check().ok
        met.line.silent = False
        await sending


@pytest.mark.parametrize("name", REMOTES)
async def test_we_are_killed_amid_a_batch(name: str, tmp_path: Path) -> None:
    async with meeting(name, tmp_path, 4) as met:
        sending = asyncio.create_task(met.sender.send(met.sent))
        await asyncio.sleep(0.03)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await met.complete()
        assert set(met.remote.arrived()) == {e.id for e in met.sent}


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_is_not_trusted_is_told(security: str, tmp_path: Path) -> None:
    remote = Mail(serving(own=True), security)
    with remote.running():
        made = sink(remote.settings(remote.port, tmp_path))
        with pytest.raises(PraetorError, match="certificate is not trusted"):
            await made.write([notification(1)])
    assert remote.mails == []


async def test_nothing_goes_in_clear_to_a_server_that_cannot_do_tls(tmp_path: Path) -> None:
    remote = Mail(serving(), "none")
    with remote.running():
        made = sink({**remote.settings(remote.port, tmp_path), "security": "starttls"})
        with pytest.raises(PraetorError, match="cannot do what"):
            await made.write([notification(1)])
    assert remote.mails == []


@pytest.mark.parametrize("name", REMOTES)
async def test_what_may_not_be_spoken_to_is_not(name: str, tmp_path: Path) -> None:
    remote = REMOTES[name]()
    with pytest.raises(PraetorError, match="PRAETOR_OUTBOUND_ALLOW"):
        await sink(remote.settings(9, tmp_path), ["10.0.0.0/8"]).write([notification(1)])
