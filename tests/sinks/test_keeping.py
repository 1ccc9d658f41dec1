"""Rows go when their time is over: by table, by tenant."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from runtime.errors import PraetorError
from runtime.settings import Settings
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.keeping import shortest_days
from sinks.migrate import migrate
from sinks.rollups import differences
from tests.sinks.helpers import batch, decision
from tests.sinks.test_rollups import NOW_MS

DAY_MS = 86_400_000


def praetor(settings: Settings, *arguments: str) -> Result:
    env = {
        "PRAETOR_CLICKHOUSE_URL": settings.clickhouse_url,
        "PRAETOR_CLICKHOUSE_DATABASE": settings.clickhouse_database,
    }
    return CliRunner().invoke(app, ["db", *arguments], env=env)


def told(settings: Settings, *arguments: str) -> Any:
    result = praetor(settings, *arguments, "--json")
    assert result.exception is None, result.exception
    return json.loads(result.stdout)


def test_a_tenant_s_rows_go_before_the_others_and_the_sums_agree(empty: Settings) -> None:
    migrate(empty)
    client, sink = connect(empty), ClickHouseSink(empty)
    sink.open()
    for number, tenant in enumerate(("trial", "bank", "acme's")):
        rows = [decision(number, tenant=tenant, received_at=NOW_MS - 10 * DAY_MS)]
        sink.write(batch(rows, f"{number}"))
    kept = told(empty, "keep", "--days", "400", "--tenant", "trial=5", "--tenant", "acme's=20")
    assert kept["threats"].endswith(
        "toIntervalDay(multiIf(tenant = 'acme\\'s', 20, tenant = 'trial', 5, 400))"
    )
    assert kept["dead_letters"] == "received_at + toIntervalDay(400)"
    assert differences(client) == [], "what is past its time is compared no more"
    for table in ("decisions", "actions_by_day"):
        client.command(f"OPTIMIZE TABLE {table} FINAL")
        tenants = client.query(f"SELECT tenant FROM {table} ORDER BY 1").result_rows
        assert tenants == [("acme's",), ("bank",)], table
    assert client.command("SELECT count() FROM leaves") == 3, "the ledger stays"
    assert told(empty, "sums") == []
    client.command("TRUNCATE TABLE rules_by_hour")
    assert praetor(empty, "sums").exit_code == 1
    assert "rules_by_hour, log/0" in praetor(empty, "sums").stdout
    assert "are what the decisions say" in praetor(empty, "sums", "--remake").stdout
    assert (
        told(empty, "keep", "--days", "7", "--table", "threats")["threats"]
        == "received_at + toIntervalDay(7)"
    )
    assert told(empty, "keep")["decisions"] == kept["decisions"]
    sink.close()
    client.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--days", "0"], "0 days: a number from 1"),
        (["--days", "7", "--table", "leaves"], "leaves: rows go after a time only in decisions, threats"),
        (["--days", "7", "--tenant", "a"], "'a' is not NAME=DAYS"),
        (["--tenant", "a=7"], "say for how many days all others are kept: --days"),
    ],
)
def test_what_cannot_be_kept_so_is_said(database: Settings, arguments: list[str], said: str) -> None:
    result = praetor(database, "keep", *arguments)
    assert isinstance(result.exception, PraetorError) and said in str(result.exception)


def test_the_shortest_time_of_a_ttl() -> None:
    assert (
        shortest_days("MergeTree TTL received_at + toIntervalDay(400) SETTINGS index_granularity = 8192")
        == 400
    )
    own = (
        "x TTL at + toIntervalDay(multiIf(tenant = 'a\\'1', 30, tenant = 'tenant-3', 90, 400)) SETTINGS y = 1"
    )
    assert shortest_days(own) == 30
    assert shortest_days("MergeTree ORDER BY x SETTINGS index_granularity = 8192") is None
