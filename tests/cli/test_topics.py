"""`praetor topics create` with a Schema Registry."""

import json

import pytest
from typer.testing import CliRunner

from cli.topics import topics_app
from runtime.errors import PraetorError
from schemas.catalogue import all_schemas
from tests.schemas.test_registry import Registry, serving


@pytest.fixture
def create(own_broker, tmp_path, monkeypatch):
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", own_broker.bootstrap)
    monkeypatch.setenv("PRAETOR_KEYS_DIR", str(tmp_path / "keys"))

    def invoke(url):
        monkeypatch.setenv("PRAETOR_SCHEMA_REGISTRY_URL", url)
        arguments = ["create", "--partitions", "2", "--json"]
        return json.loads(CliRunner().invoke(topics_app, arguments, catch_exceptions=False).stdout)

    return invoke


def test_schemas_are_registered_and_a_conflict_stops_before_a_topic_is_made(create):
    registry = Registry()
    with serving(registry.app) as url:
        registry.ids[101] = "int"
        with pytest.raises(PraetorError, match=r"action_event v1 must have id 101 .* that id holds int"):
            create(url)
        del registry.ids[101]
        first = create(url)
        assert first["schemas"] == [of.id for of in all_schemas()]
        assert "agent.actions" in first["topics"]
        again = create(url)
    assert (again["schemas"], again["topics"]) == ([], [])
    assert again["log_id"] == first["log_id"]
