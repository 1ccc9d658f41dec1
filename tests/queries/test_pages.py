"""Every command on the analysts' pages that asks something runs as it stands there."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from runtime.settings import Settings
from sinks.migrate import migrate
from sinks.named import QUERIES

PAGES = Path(__file__).parents[2] / "docs" / "analysts"
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def blocks(page: Path) -> list[str]:
    """What stands in code blocks that name no language."""
    return [text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if not language]


COMMANDS = [
    line
    for page in sorted(PAGES.glob("*.md"))
    for block in blocks(page)
    for line in block.splitlines()
    if line.startswith("praetor query")
]


@pytest.fixture(scope="module", autouse=True)
def _database(clickhouse: str) -> None:
    migrate(Settings(clickhouse_url=clickhouse, clickhouse_database="pages"))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_pages_runs(clickhouse: str, command: str) -> None:
    env = {"PRAETOR_CLICKHOUSE_URL": clickhouse, "PRAETOR_CLICKHOUSE_DATABASE": "pages"}
    result = CliRunner().invoke(app, shlex.split(command)[1:], env=env)
    assert result.exception is None, f"{command}: {result.exception}"


def test_every_query_is_on_the_pages() -> None:
    assert {query.name for query in QUERIES} <= set(re.findall(r"--named ([a-z-]+)", "\n".join(COMMANDS)))


def test_how_long_rows_are_kept_and_where_is_clickhouse_s_own_sql(clickhouse: str) -> None:
    """The statements that name a volume are parsed, not run: the embedded engine has one disk."""
    lines = [line for block in blocks(PAGES / "server.md") for line in block.splitlines()]
    statements = [line for line in lines if line.startswith("ALTER")]
    assert len(statements) == 2
    for statement in statements:
        result = CliRunner().invoke(
            app,
            ["query", "SELECT formatQuery({q:String})", "--param", f"q={statement.rstrip(';')}"],
            env={"PRAETOR_CLICKHOUSE_URL": clickhouse, "PRAETOR_CLICKHOUSE_DATABASE": "pages"},
        )
        assert result.exception is None, f"{statement}: {result.exception}"
