"""Sums stay what the decisions say: when inserts are repeated, cut off, or were there before the sums."""

import random
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from clickhouse_connect.driver.client import Client

from runtime.settings import Settings
from schemas.codec import Record
from sinks.clickhouse import ClickHouseSink
from sinks.connection import connect
from sinks.migrate import migrate, read_migrations
from sinks.rollups import ROLLUPS, Rollup, differences, fill
from tests.sinks.helpers import batch, decision

NOW_MS = int(time.time()) * 1000
SUMS = """\
SELECT tenant, agent_id, team, phase, tool, model, policy, rule, effect,
    sum(actions), sum(duplicates), sum(failed), sum(input_tokens),
    sum(output_tokens), sum(cost_usd), sum(size_bytes)
FROM {table} GROUP BY ALL ORDER BY ALL
"""
RAW = """\
SELECT tenant, agent_id, labels['team'], phase, ifNull(tool, ''), ifNull(model, ''), reasons[1].policy,
    reasons[1].rule, effect, count(), countIf(duplicate_of IS NOT NULL), countIf(notEmpty(errors)),
    sum(input_tokens), sum(output_tokens), sum(if(isFinite(cost_usd), cost_usd, 0)), sum(size_bytes)
FROM decisions GROUP BY ALL ORDER BY ALL
"""
RULES = """\
SELECT policy, rule, effect, shadow, sum(matched) FROM rules_by_hour WHERE rule != ''
GROUP BY ALL ORDER BY ALL
"""
RAW_RULES = """\
SELECT r.policy, r.rule, r.effect, startsWith(r.message, 'shadow:'), count()
FROM decisions ARRAY JOIN reasons AS r GROUP BY ALL ORDER BY ALL
"""
DELAYS = """\
SELECT agent_id, quantilesDDMerge(0.01, 0.5, 0.9, 0.99)(delay_ms) FROM delays_by_hour
GROUP BY ALL ORDER BY ALL
"""
RAW_DELAYS = """\
SELECT agent_id,
    quantilesDD(0.01, 0.5, 0.9, 0.99)(
        toFloat64(toUnixTimestamp64Milli(received_at) - intDiv(occurred_at, 1000)))
FROM decisions GROUP BY ALL ORDER BY ALL
"""


def some(chance: random.Random, seq: int, log_id: str) -> Record:
    """A decision of the last days, with everything that is summed."""
    received = NOW_MS - 2 * 86_400_000 + 60_000 * (seq // 10)
    reasons = [
        {
            "policy": "base",
            "rule": chance.choice("abc"),
            "effect": "deny",
            "message": chance.choice(["no", "shadow: no"]),
        }
        for _ in range(chance.randrange(3))
    ]
    return decision(
        seq,
        log_id,
        tenant=chance.choice(["acme", "bolt"]),
        labels=chance.choice([{}, {"team": "red"}]),
        tool=chance.choice([None, "shell"]),
        model=chance.choice([None, "m1"]),
        reasons=reasons,
        errors=chance.choice([[], ["failed"]]),
        duplicate_of=chance.choice([None, "x"]),
        input_tokens=chance.randrange(1000),
        output_tokens=chance.randrange(1000),
        cost_usd=chance.choice([0.25, 1.5, float("nan"), float("inf")]),
        size_bytes=chance.randrange(1000),
        received_at=received,
        occurred_at=(received - chance.randrange(100_000)) * 1000,
    )


@pytest.fixture
def filled(empty: Settings) -> Iterator[tuple[Client, ClickHouseSink]]:
    migrate(empty)
    client, sink = connect(empty), ClickHouseSink(empty)
    sink.open()
    yield client, sink
    sink.close()
    client.close()


def check(client: Client) -> None:
    raw = client.query(RAW).result_rows
    for table in ("actions_by_minute", "actions_by_hour", "actions_by_day"):
        assert client.query(SUMS.format(table=table)).result_rows == raw, table
    assert client.query(RULES).result_rows == client.query(RAW_RULES).result_rows
    assert client.query(DELAYS).result_rows == client.query(RAW_DELAYS).result_rows
    assert differences(client) == []


def test_sums_are_what_decisions_say_when_a_tenth_of_the_inserts_is_repeated(
    filled: tuple[Client, ClickHouseSink],
) -> None:
    client, sink = filled
    chance = random.Random(7)
    log_id = uuid4().hex
    batches = [
        batch([some(chance, 200 * i + n, log_id) for n in range(200)], f"{log_id}/{i}") for i in range(30)
    ]
    for each in batches:
        sink.write(each)
    check(client)
    for each in chance.sample(batches, 3):
        sink.write(each)
        client.command("OPTIMIZE TABLE actions_by_hour FINAL")
    assert client.command("SELECT count() FROM decisions") == 6000
    check(client)


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda r: r.name)
def test_an_insert_cut_off_before_the_sums_is_told_and_completed_by_the_same_write(
    filled: tuple[Client, ClickHouseSink], rollup: Rollup
) -> None:
    client, sink = filled
    log_id, chance = uuid4().hex, random.Random(3)
    written = batch([some(chance, n, log_id) for n in range(50)], log_id)
    create = client.query(f"SHOW CREATE TABLE {rollup.view}").result_rows[0][0]
    client.command(f"DROP VIEW {rollup.view} SYNC")
    sink.write(written)
    client.command(create)
    assert {d.table for d in differences(client)} == {rollup.name}
    assert sink.remembers(written)
    sink.write(written)
    check(client)


def test_decisions_from_before_the_sums_are_summed_and_an_archive_may_go_on(empty: Settings) -> None:
    migrate(empty, read_migrations()[:9])
    client, sink = connect(empty), ClickHouseSink(empty)
    sink.open()
    chance, logs = random.Random(5), [uuid4().hex for _ in range(3)]
    for log_id in logs:
        sink.write(batch([some(chance, n, log_id) for n in range(300)], f"{log_id}/0"))
    migrate(empty)
    check(client)
    for log_id in logs[:2]:
        sink.write(batch([some(chance, 300 + n, log_id) for n in range(300)], f"{log_id}/1"))
    check(client)
    # one that was cut off is repeated, and what came by the views meanwhile is not counted twice
    client.command("TRUNCATE TABLE actions_by_hour")
    sink.write(batch([some(chance, 600 + n, logs[0]) for n in range(300)], f"{logs[0]}/2"))
    assert {d.table for d in differences(client)} == {"actions_by_hour"}
    fill(client)
    check(client)
    sink.close()
    client.close()
