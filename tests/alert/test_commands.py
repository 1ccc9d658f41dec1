"""`praetor alert …` and `praetor store …`, as they are typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from runtime.errors import PraetorError
from tests.alert.test_load import RECEIVER, ROUTES
from tests.delivery.receiver import Answer, Receiver

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRAETOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PRAETOR_ALERTING", str(tmp_path / "alerting"))
    (tmp_path / "alerting").mkdir()
    (tmp_path / "alerting" / "routes.yaml").write_bytes(ROUTES)
    (tmp_path / "alerting" / "oncall.yml").write_bytes(RECEIVER)
    return tmp_path / "alerting"


def run(*words: str) -> str:
    done = RUNNER.invoke(app, list(words))
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*words: str) -> str:
    done = RUNNER.invoke(app, list(words))
    assert isinstance(done.exception, PraetorError), done.output
    return str(done.exception)


def test_check_says_that_all_is_well_or_what_is_wrong(folder: Path) -> None:
    assert run("alert", "check") == "2 routes and 1 receivers are well\n"
    secret = RECEIVER.replace(b'in"}', b'in", secret: {env: NO_SUCH_VARIABLE}}')
    (folder / "oncall.yml").write_bytes(secret)
    assert "oncall: webhook's secret: the variable NO_SUCH_VARIABLE is not set" in refused("alert", "check")
    (folder / "oncall.yml").write_bytes(b"kind: Receiver\n")
    assert "oncall.yml:1:1: missing key" in refused("alert", "check")


def test_routes_say_who_would_be_told() -> None:
    assert [row["route"] for row in json.loads(run("alert", "routes", "--json"))] == ["urgent", "rest"]
    ask = ("alert", "routes", "--kind", "incident", "--severity", "critical", "--json", "--at")
    assert json.loads(run(*ask, "2026-11-21T23:30Z"))[0]["route"] == "urgent"
    assert json.loads(run(*ask, "2026-11-21T12:00Z"))[0]["route"] == "rest"
    assert "urgent" in run("alert", "routes")
    assert "--kind is one of incident, threat" in refused("alert", "routes", "--kind", "decision")


def test_a_trial_is_sent_and_what_is_refused_is_told(folder: Path) -> None:
    with Receiver().running() as receiver:
        (folder / "oncall.yml").write_bytes(
            RECEIVER.replace(b"https://hooks.example/in", receiver.url.encode())
        )
        assert run("alert", "test") == "oncall: took it\n"
        sent = json.loads(receiver.stored[0].body)
        assert (sent["action"], sent["severity"]) == ("trial", "informational")
        receiver.tell(Answer(401, body="who are you?"))
        done = RUNNER.invoke(app, ["alert", "test", "oncall"])
        assert (done.exit_code, "who are you?" in done.stdout) == (1, True)
    assert "no receiver nobody; there are oncall" in refused("alert", "test", "nobody")


def test_silences_from_setting_to_end() -> None:
    made = ("alert", "silence", "--agent", "load-*", "--for", "2h", "--comment", "load test", "--by", "alice")
    name = json.loads(run(*made, "--json"))["id"]
    plan = ("alert", "silences", "plan", "nightly", "--tenant", "acme", "--for", "1h", "--every", "1d")
    window = json.loads(run(*plan, "--by", "alice", "--json"))["id"]
    listed = {row["id"]: row for row in json.loads(run("alert", "silences", "list", "--json"))}
    assert listed[name]["scope"] == {"agent": ["load-*"]}
    assert listed[name]["ends"] - listed[name]["starts"] == 7_200_000
    assert listed[window]["every"] == 86_400_000
    assert "load-*" in run("alert", "silences", "list")
    for each in (name, window):
        assert run("alert", "silences", "expire", each, "--by", "bob") == f"{each} has ended\n"
    assert run("alert", "silences", "list") == "nothing is silent\n"
    changes = json.loads(run("store", "changes", "--json"))
    assert [(c["by"], c["of_table"]) for c in changes] == [
        ("bob", "windows"),
        ("bob", "silences"),
        ("alice", "windows"),
        ("alice", "silences"),
    ]
    assert "bob" in run("store", "changes")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["silence", "--agent", "a"], "a silence ends: say when, with --for"),
        (["silence", "--for", "2h"], "say what is to be silent"),
        (["silence", "--agent", "a", "--for", "2 weeks"], "no span such as 90s"),
        (["silence", "--agent", "a", "--for", "1h", "--from", "soon"], "no moment such as"),
        (["silences", "expire", "nope"], "there is no silence and no window nope"),
        (["silences", "plan", "x", "--agent", "a", "--for", "2h", "--every", "1h"], "must have ended before"),
    ],
)
def test_what_is_typed_wrong_is_told(words: list[str], told: str) -> None:
    assert told in refused("alert", *words)


def test_acknowledgements_and_notes() -> None:
    assert run("alert", "ack", "inc-1", "--by", "alice") == "inc-1 is acknowledged by alice\n"
    assert "acknowledged by alice already" in refused("alert", "ack", "inc-1", "--by", "bob")
    assert run("alert", "notes", "inc-1") == "nothing was noted\n"
    run("alert", "note", "inc-1", "the key was rotated", "--by", "bob")
    assert json.loads(run("alert", "notes", "inc-1", "--json"))[0]["text"] == "the key was rotated"
    assert run("alert", "notes", "inc-1").endswith("bob: the key was rotated\n")


def test_migrate_says_where_the_store_is() -> None:
    assert run("store", "migrate") == "the store is at migration 0001\n"


def test_without_routes_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRAETOR_ALERTING")
    assert "set PRAETOR_ALERTING" in refused("alert", "check")
