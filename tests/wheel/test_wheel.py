"""The server as it is installed: the built wheel in a clean environment, run from another directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"


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
    """The command, installed without the embedded extra, as a production image has it."""
    there = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", there / "dist", cwd=ROOT)
    run(UV, "venv", "--python", sys.executable, there / "venv", cwd=there)
    install = [UV, "pip", "install", "--python", there / "venv/bin/python"]
    run(*install, "--require-hashes", "-r", ROOT / "requirements/base.txt", cwd=there)
    (wheel,) = (there / "dist").glob("*.whl")
    run(*install, "--no-deps", wheel, cwd=there)
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
