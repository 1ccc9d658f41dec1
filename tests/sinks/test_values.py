"""Each column returns every value of its Avro type bit for bit."""

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import newest
from schemas.codec import encode_body
from sinks.clickhouse import ClickHouseSink
from sinks.rows import read_records
from sinks.tables import INCIDENTS, TABLES, Table
from tests.sinks.helpers import batch, placed
from tests.sinks.strategies import records


@pytest.fixture(scope="module", autouse=True)
def _no_merges(client: Client) -> None:
    """Records of any time are written: a merge would remove what is past its TTL."""
    for table in TABLES:
        client.command(f"SYSTEM STOP {'TTL ' if table.dated else ''}MERGES {table.name}")


def read(client: Client, table: Table, log_id: str) -> list[dict[str, Any]]:
    # an incident names no partition
    tail = f"WHERE log_id = {{log_id:String}} ORDER BY {'revision' if table == INCIDENTS else 'partition'}"
    return list(read_records(client, table, tail, {"log_id": log_id}))


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_rows_encode_to_the_very_bytes(
    sink: ClickHouseSink, client: Client, table: Table, data: st.DataObject
) -> None:
    of = newest(table.record)
    rows = data.draw(st.lists(records(of.definition), min_size=1, max_size=12))
    log_id = placed(rows, table)
    sink.write(batch(rows, log_id, table))
    found = read(client, table, log_id)
    assert [encode_body(of, row) for row in found] == [encode_body(of, row) for row in rows]
