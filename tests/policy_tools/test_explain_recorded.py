"""`praetor policy explain --event-id`: an action that was judged, read from ClickHouse."""

import json
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from cli.policy.app import policy_app
from runtime.errors import PraetorError
from runtime.settings import Settings
from schemas.catalogue import newest
from schemas.codec import encode_body
from sinks.clickhouse import ClickHouseSink
from sinks.migrate import migrate
from tests.sinks.helpers import batch, decision


@pytest.fixture
def database(clickhouse: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    name = f"test_{uuid4().hex}"
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_URL", clickhouse)
    monkeypatch.setenv("PRAETOR_CLICKHOUSE_DATABASE", name)
    settings = Settings(clickhouse_url=clickhouse, clickhouse_database=name)
    migrate(settings)
    return settings


def test_a_recorded_action_is_explained_beside_its_decision(database: Settings) -> None:
    record = decision(0, action="read:file", resource="/workspace/.env")
    sink = ClickHouseSink(database)
    sink.open()
    sink.write(batch([record], "one"))
    sink.close()
    asked = ["explain", "--event-id", record["event_id"].upper()]
    told = CliRunner().invoke(policy_app, asked).stdout
    assert told.startswith("recorded: deny by base/r1: not yours\n")
    assert f"seq 0, leaf {record['leaf'].hex()}" in told
    assert f"under {record['bundle']}; what follows is by sha256:" in told
    assert "denied by secrets/" in told
    found = json.loads(CliRunner().invoke(policy_app, [*asked, "--json"]).stdout)
    assert found["recorded"]["seq"] == 0 and found["effect"] == "deny"
    assert bytes.fromhex(found["recorded"]["bytes"]) == encode_body(newest("decision"), record)
    nobody = CliRunner().invoke(policy_app, ["explain", "--event-id", str(uuid4())])
    assert isinstance(nobody.exception, PraetorError) and "no decision of event" in str(nobody.exception)
