"""What forward sends, as a real OpenSearch takes it: once each, in every format that fits."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from sinks.http import Outbound
from sinks.outbound import Allowed
from sinks.registry import make_sink
from sinks.sink import Event
from tests.delivery.making_all import EVENTS
from tests.delivery.stage import destination
from tests.interop.opensearch import running

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

MANY = 40


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("opensearch") / "home") as url:
        yield url


def numbered(kind: str, **fields: Any) -> list[Event]:
    return [replace(EVENTS[kind](**fields), id=f"{kind}/{number}") for number in range(MANY)]


def found(node: str, index: str) -> list[dict[str, Any]]:
    httpx.post(f"{node}/{index}/_refresh")
    answer = httpx.get(f"{node}/{index}/_search", params={"size": 1000}).json()
    return [hit["_source"] for hit in answer["hits"]["hits"]]


@pytest.mark.parametrize("name", ["ecs", "ocsf", "plain"])
@pytest.mark.parametrize("kind", EVENTS)
async def test_each_event_is_there_once_however_often_it_is_sent(node: str, kind: str, name: str) -> None:
    to = {"type": "elastic", "url": node, "index": f"{name}-{{kind}}"}
    sink = make_sink(destination("node", to, format=name), Outbound(Allowed(), ssl.create_default_context()))
    events = numbered(kind)
    for _ in range(2):
        outcome = await sink.write(events)
        assert (list(outcome.rejected), list(outcome.again)) == ([], [])
    await sink.close()
    there = found(node, f"{name}-{kind}")
    assert len(there) == MANY
    assert {json.dumps(document) for document in there} == {json.dumps(d) for d in there}
    told = {
        "ecs": lambda d: d["event"]["id"],
        "ocsf": lambda d: d["metadata"]["uid"],
        "plain": lambda d: d["id"],
    }
    assert {told[name](document) for document in there} == {event.id for event in events}


async def test_what_its_mapping_does_not_take_is_told_item_by_item(node: str) -> None:
    to = {"type": "elastic", "url": node, "index": "strict-{kind}"}
    mapping = {"mappings": {"properties": {"severity": {"type": "long"}}}}
    httpx.put(f"{node}/strict-threat", json=mapping).raise_for_status()
    sink = make_sink(destination("node", to), Outbound(Allowed(), ssl.create_default_context()))
    outcome = await sink.write(numbered("threat"))
    await sink.close()
    assert [r.place for r in outcome.rejected] == list(range(MANY))
    assert "severity" in outcome.rejected[0].reason
    assert found(node, "strict-threat") == []
