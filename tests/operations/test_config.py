"""`praetor config`: every value with its origin, every mistake at once, no secret ever."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app

SECRET = "s3cret-planted"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("BOOTSTRAP", "CLICKHOUSE_URL", "CLICKHOUSE_PASSWORD", "KEYS_DIR", "DATA"):
        monkeypatch.delenv(f"PRAETOR_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def show(*arguments: str) -> dict[str, tuple[str, str]]:
    done = CliRunner().invoke(app, ["config", "show", "--json", *arguments])
    assert done.exit_code == 0, done.output
    assert SECRET not in done.output
    return {row["setting"]: (row["value"], row["origin"]) for row in json.loads(done.output)}


def test_each_value_has_its_origin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(SECRET + "\n")
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", "kafka:9092")
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD_FILE", str(secret))
    shown = show()
    assert shown["bootstrap"] == ("kafka:9092", "PRAETOR_BOOTSTRAP")
    assert shown["clickhouse_password"] == ("**********", "PRAETOR_CLICKHOUSE_PASSWORD_FILE")
    assert shown["log_level"] == ("info", "default")
    assert set(show("--changed")) == {"bootstrap", "clickhouse_password"}
    assert show("--data", "elsewhere")["data"] == ("elsewhere", "--data")


def test_a_secret_is_not_shown_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD", SECRET)
    done = CliRunner().invoke(app, ["config", "show"])
    assert done.exit_code == 0
    assert SECRET not in done.output
    assert "PRAETOR_CLICKHOUSE_PASSWORD" in done.output.replace("\n", "")


def test_all_mistakes_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRAETOR_BOOTSTRAPP", "kafka:9092")
    monkeypatch.setenv("PRAETOR_LOG_LEVEL", "loud")
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_PASSWORD_FILE", "/nonexistent/password")
    done = CliRunner().invoke(app, ["config", "check"])
    assert done.exit_code == 1
    for part in (
        "PRAETOR_BOOTSTRAPP is no setting: did you mean PRAETOR_BOOTSTRAP",
        "log_level",
        "/nonexistent",
    ):
        assert part in done.output
    assert "Traceback" not in done.output


def test_settings_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(app, ["config", "check", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.output) == {"ok": True, "mistakes": []}
