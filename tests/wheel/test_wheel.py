"""The server as the image installs it: the built wheel in a clean environment, run from another directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PRAETOR_", "PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def praetor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed by the image's own steps: without the embedded extra, and pip does not stay."""
    there = tmp_path_factory.mktemp("wheel")
    run("sh", "deploy/image/install.sh", there / "venv", cwd=ROOT, PYTHON=sys.executable)
    assert not (there / "venv/bin/pip").exists()
    return there / "venv/bin/praetor"


def test_it_says_its_version(praetor: Path, tmp_path: Path):
    assert run(praetor, "--version", cwd=tmp_path).startswith("praetor 0.")


def test_it_creates_and_shows_topics(praetor: Path, tmp_path: Path, own_broker):
    where = {"PRAETOR_BOOTSTRAP": own_broker.bootstrap, "PRAETOR_KEYS_DIR": str(tmp_path / "keys")}
    run(praetor, "topics", "create", "--partitions", "2", cwd=tmp_path, **where)
    shown = run(praetor, "topics", "show", "--json", cwd=tmp_path, **where)
    assert '"agent.decisions", "partitions": 2' in shown


def test_it_migrates_the_database(praetor: Path, tmp_path: Path, clickhouse: str):
    where = {"PRAETOR_CLICKHOUSE_URL": clickhouse, "PRAETOR_CLICKHOUSE_DATABASE": "from_the_wheel"}
    run(praetor, "db", "migrate", cwd=tmp_path, **where)
    tables = run(praetor, "query", "SHOW TABLES", "--format", "csv", cwd=tmp_path, **where)
    assert "decisions" in tables and "leaves" in tables


def test_the_embedded_stack_names_its_extra_where_it_is_missing(praetor: Path, tmp_path: Path):
    with pytest.raises(AssertionError, match=r"praetor: .*embedded"):
        run(praetor, "up", "-d", "--data", tmp_path / "data", cwd=tmp_path)


def test_the_shipped_policies_travel_along(praetor: Path, tmp_path: Path):
    assert '"ok": true' in run(praetor, "policy", "test", "--json", cwd=tmp_path)


def test_it_writes_nothing_beside_its_own_folder(praetor: Path, own_broker):
    """As in the image: the root is read-only, there is no home."""
    prefix = praetor.parents[1]
    before = sorted(prefix.rglob("*"))
    where = {
        "PRAETOR_BOOTSTRAP": own_broker.bootstrap,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/nonexistent",
    }
    assert "agent.actions" in run(praetor, "topics", "show", cwd=Path("/"), **where)
    assert sorted(prefix.rglob("*")) == before
