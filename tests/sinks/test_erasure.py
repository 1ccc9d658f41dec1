"""A person's text is erased; everything else of the row, and so its leaf, can still be computed."""

from typing import Any

from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import newest, schema
from schemas.codec import encode_body
from sinks.clickhouse import ClickHouseSink
from sinks.rows import read_records
from sinks.tables import DECISIONS
from tests.sinks.helpers import START_MS, batch, placed
from tests.sinks.strategies import records

ERASE = """\
ALTER TABLE decisions UPDATE arguments = NULL, content = NULL, salt = NULL, modified_arguments = NULL
WHERE log_id = {log_id:String} SETTINGS mutations_sync = 1
"""


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(rows=st.lists(records(newest("decision").definition), min_size=1, max_size=20))
def test_after_erasure_all_else_is_as_it_was(
    sink: ClickHouseSink, client: Client, rows: list[dict[str, Any]]
) -> None:
    for row in rows:
        # a mutation removes what is past its TTL
        row["received_at"] = START_MS
    log_id = placed(rows, DECISIONS)
    sink.write(batch(rows, log_id))
    client.command(ERASE, {"log_id": log_id})
    erased = {"arguments": None, "content": None, "salt": None, "modified_arguments": None}
    tail = "WHERE log_id = {log_id:String} ORDER BY partition"
    found = read_records(client, DECISIONS, tail, {"log_id": log_id})
    assert [encode_body(schema(row["schema"]), row) for row in found] == [
        encode_body(newest("decision"), row | erased) for row in rows
    ]
