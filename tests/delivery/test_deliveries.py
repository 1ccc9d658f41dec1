"""`praetor deliveries` and destinations' files, by the command."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from schemas.topics import UNDELIVERED
from tests.delivery.receiver import Answer, Receiver
from tests.delivery.stage import Delivering, destination, run, until

RUNNER = CliRunner()


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "destinations.yaml"
    document = {
        "apiVersion": "praetor/v1",
        "kind": "Destination",
        "metadata": {"name": "hook"},
        "format": "plain",
        "to": {"type": "webhook", "url": "https://siem.example/in"},
        **changes,
    }
    path.write_text(json.dumps(document))
    return path


async def test_what_was_refused_is_listed_shown_and_sent_again(
    delivering: Delivering, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = f"{delivering.log_id}/1/3"
    receiver.judge = lambda body: Answer(400, body="no") if f'"{poison}"'.encode() in body else Answer()
    to = {"type": "webhook", "url": receiver.url}
    await delivering.decide(5)
    async with delivering.forwarding(destination("hook", to, limits={"tries": 1})):

        async def kept() -> int:
            return len(await delivering.read(UNDELIVERED, "undelivered"))

        await until(kept, 1)
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", str(delivering.options["bootstrap_servers"]))
    monkeypatch.setenv("PRAETOR_TOPIC_PREFIX", delivering.prefix)
    monkeypatch.setenv("PRAETOR_DESTINATIONS", str(written(tmp_path, to=to)))

    listed = await run("deliveries", "list", "--json")
    assert [(r["id"], r["destination"]) for r in json.loads(listed.stdout)] == [(poison, "hook")]
    shown = await run("deliveries", "show", poison)
    assert json.loads(shown.stdout)["event"]["id"] == poison
    again = await run("deliveries", "retry")
    assert (again.exit_code, again.stdout) == (1, "0 delivered, 1 refused again\n")
    receiver.judge = lambda body: Answer()
    again = await run("deliveries", "retry")
    assert (again.exit_code, again.stdout) == (0, "1 delivered, 0 refused again\n")
    assert [event["id"] for event in receiver.events()].count(poison) == 1
    assert "nothing is kept aside" in (await run("deliveries", "list")).stdout


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"to": {"type": "webhok", "url": "https://a"}}, "unknown type 'webhok'; did you mean 'webhook'?"),
        ({"to": {"url": "https://a"}}, "missing key 'type'; there are"),
        ({"to": {"type": "webhook", "url": "ftp://a"}}, "'url' is 'ftp://a'; it must fit"),
        ({"to": {"type": "webhook", "uri": "https://a"}}, "unknown key 'uri'; did you mean 'url'?"),
        ({"to": {"type": "webhook", "url": "https://a", "secret": "s3cret"}}, "'secret' must be a mapping"),
        ({"feed": {"severity": "hi"}}, "'severity' must be"),
        ({"metdata": {}}, "unknown key 'metdata'; did you mean 'metadata'?"),
        ({"format": "ocfs"}, "'format' must be"),
    ],
)
def test_mistakes_are_told_at_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], told: str
) -> None:
    path = written(tmp_path, **changes)
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("PRAETOR_DESTINATIONS", str(path))
    found = RUNNER.invoke(app, ["destinations", "check"])
    assert found.exit_code == 1
    assert f"{path}:1:" in str(found.exception)
    assert told in str(found.exception)


async def test_a_destination_is_tried(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "PRAETOR_DESTINATIONS", str(written(tmp_path, to={"type": "webhook", "url": receiver.url}))
    )
    assert (await run("destinations", "test")).stdout == "hook: took it\n"
    assert [event["title"] for event in receiver.events()] == ["Trial of a destination"]
    receiver.tell(Answer(403, body="wrong token"))
    refused = await run("destinations", "test", "--json")
    assert refused.exit_code == 1
    assert "403" in json.loads(refused.stdout)["hook"]
    listed = await run("destinations", "list", "--json")
    assert json.loads(listed.stdout)[0]["type"] == "webhook"


def test_a_secret_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to = {"type": "splunk_hec", "url": "https://splunk.example:8088", "token": {"env": "NO_SUCH_TOKEN"}}
    monkeypatch.setenv("PRAETOR_DESTINATIONS", str(written(tmp_path, to=to)))
    found = RUNNER.invoke(app, ["destinations", "check"])
    assert "hook: Splunk's token: the variable NO_SUCH_TOKEN is not set" in str(found.exception)


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/x"])
async def test_metadata_services_are_never_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PRAETOR_DESTINATIONS", str(written(tmp_path, to={"type": "webhook", "url": url})))
    found = await run("destinations", "test")
    assert found.exit_code == 1
    assert "nothing is ever sent there" in found.stdout


async def test_with_a_list_nothing_else_is_spoken_to(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "PRAETOR_DESTINATIONS", str(written(tmp_path, to={"type": "webhook", "url": receiver.url}))
    )
    monkeypatch.setenv("PRAETOR_OUTBOUND_ALLOW", "10.0.0.0/8,.siem.example")
    assert "PRAETOR_OUTBOUND_ALLOW" in (await run("destinations", "test")).stdout
    monkeypatch.setenv("PRAETOR_OUTBOUND_ALLOW", "127.0.0.0/8")
    assert (await run("destinations", "test")).stdout == "hook: took it\n"
