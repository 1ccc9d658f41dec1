"""The sink: a batch written again adds nothing, a refusal is told from an absence."""

from dataclasses import replace
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from runtime.embedded.process import free_port
from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings
from schemas.codec import Record
from sinks.batch import Batch
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.tables import CHECKPOINTS, DECISIONS, Table
from tests.sinks.helpers import START_MS, batch, decision

RESTORE = """\
CREATE MATERIALIZED VIEW decisions_to_leaves TO leaves AS
SELECT log_id, partition, seq, leaf, schema FROM decisions
"""


def a_batch(rows: int, first: int = 0) -> Batch:
    log_id = uuid4().hex
    return batch([decision(first + i, log_id) for i in range(rows)], f"{log_id}/{first}")


def checkpoint(log_id: str, size: int) -> Record:
    return {
        "log_id": log_id,
        "partition": 0,
        "size": size,
        "root": bytes(32),
        "received_at": START_MS,
        "note": "n",
    }


def test_a_batch_written_again_adds_no_row(sink: ClickHouseSink) -> None:
    written = a_batch(50)
    assert sink.count(written) == (0, 0)
    for _ in range(3):
        sink.write(written)
    assert sink.count(written) == (50, 50)


def test_another_token_is_another_batch(sink: ClickHouseSink) -> None:
    """The control: nothing but the token keeps rows from being doubled."""
    written = a_batch(5)
    sink.write(written)
    sink.write(replace(written, token=uuid4().hex))
    assert sink.count(written) == (10, 10)


def test_rows_without_seq_are_counted_by_their_insert(sink: ClickHouseSink) -> None:
    log_id = uuid4().hex
    first = batch([checkpoint(log_id, size) for size in (1, 2)], f"{log_id}/a", CHECKPOINTS)
    second = batch([checkpoint(log_id, size) for size in (2, 3, 3)], f"{log_id}/b", CHECKPOINTS)
    for written in (first, second, first):
        sink.write(written)
    assert (sink.count(first), sink.count(second)) == ((2,), (3,))


def test_a_write_cut_off_before_the_leaves_is_completed_by_the_same_write(
    sink: ClickHouseSink, client: Client
) -> None:
    written = a_batch(20)
    client.command("DROP VIEW decisions_to_leaves")
    try:
        sink.write(written)
    finally:
        client.command(RESTORE)
    assert sink.count(written) == (20, 0)
    sink.write(written)
    assert sink.count(written) == (20, 20)


def test_count_looks_at_nothing_but_the_batch(sink: ClickHouseSink) -> None:
    log_id = uuid4().hex
    rows = [decision(i, log_id) for i in range(30)]
    sink.write(batch(rows, f"{log_id}/all"))
    assert sink.count(batch(rows[10:20], "other")) == (10, 10)
    assert sink.count(batch([decision(10, log_id, partition=1)], "other")) == (0, 0)
    assert sink.count(batch([decision(10, uuid4().hex)], "other")) == (0, 0)


def test_the_largest_batch_is_one_part(sink: ClickHouseSink, client: Client) -> None:
    """A part is all or nothing, so that a batch is too."""
    client.command("SYSTEM STOP MERGES decisions")
    log_id = uuid4().hex
    written = batch([decision(0, log_id)], f"{log_id}/0")
    large = replace(written, bodies=list(written.bodies) * 100_000)
    sink.write(large)
    parts = client.command("SELECT uniqExact(_part) FROM decisions WHERE log_id = {l:String}", {"l": log_id})
    client.command("SYSTEM START MERGES decisions")
    assert parts == 1


def test_what_is_held(sink: ClickHouseSink) -> None:
    written = a_batch(3, first=7)
    log_id = written.first["log_id"]
    assert not sink.holds(DECISIONS, log_id, 0)
    sink.write(written)
    assert sink.holds(DECISIONS, log_id, 0)
    assert not sink.holds(DECISIONS, log_id, 1)
    assert sink.holds_seq(DECISIONS, log_id, 0, 9)
    assert not sink.holds_seq(DECISIONS, log_id, 0, 10)


def test_no_server_is_unavailable() -> None:
    sink = ClickHouseSink(Settings(clickhouse_url=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(Unavailable, match=r"does not answer .*Connection refused.*PRAETOR_CLICKHOUSE_URL"):
        sink.open()


def test_a_refusal_stops_and_is_one_line(sink: ClickHouseSink) -> None:
    with pytest.raises(PraetorError, match=r"Code: 60.*nowhere.*praetor db migrate") as caught:
        sink.write(replace(a_batch(1), table=Table("nowhere", "decision", numbered=True)))
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_avro_stop(sink: ClickHouseSink) -> None:
    with pytest.raises(PraetorError, match="ClickHouse: "):
        sink.write(replace(a_batch(1), bodies=[b"\xff" * 10]))


def test_a_missing_database_names_the_command(clickhouse: str) -> None:
    with pytest.raises(PraetorError, match="praetor db migrate"):
        connect(Settings(clickhouse_url=clickhouse, clickhouse_database="nowhere"))


def test_the_overview_shows_times_reasons_and_hex(sink: ClickHouseSink, client: Client) -> None:
    written = a_batch(1)
    sink.write(written)
    shown = client.query(
        "SELECT toString(occurred_at), effect, policy, rule, reason, leaf FROM decisions_overview"
        " WHERE log_id = {l:String}",
        {"l": written.first["log_id"]},
    ).result_rows
    leaf = written.first["leaf"].hex()
    assert shown == [("2026-09-21 14:13:20.000000", "deny", "base", "r1", "not yours", leaf)]
