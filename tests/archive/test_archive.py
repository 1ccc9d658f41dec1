"""From the topics into ClickHouse: what is written once is there once."""

import asyncio

from schemas.catalogue import newest
from schemas.codec import encode_body
from schemas.topics import CHECKPOINTS, DEAD_LETTERS, DECISIONS, DELIVERIES, INCIDENTS, THREATS
from tests.archive.helpers import Stage, until
from tests.sinks.helpers import START_MS

DAY_MS = 86_400_000


async def test_decisions_arrive_and_archiving_goes_on_where_it_ended(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 300))
    async with stage.archiving():
        await stage.rows_are(300)
        await stage.send(DECISIONS, stage.decisions(300, 1))
        await stage.rows_are(301)
    await stage.send(DECISIONS, stage.decisions(301, 99))
    async with stage.archiving():
        await stage.rows_are(400)
    await stage.exact(400)


async def test_an_idle_archive_says_that_it_is_done(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 10))

    async def done() -> list[bool]:
        return [intent.done for intent in (await stage.intents()).values()]

    async with stage.archiving():
        await until(done, [True])
    intent = (await stage.intents())[DECISIONS.name]
    assert (intent.first_seq, intent.last_seq, intent.rows) == (0, 9, 10)
    assert intent.last_offset == 10, "the commit's marker is passed too"


async def test_aborted_decisions_are_not_archived(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 20))
    await stage.send(DECISIONS, stage.decisions(20, 50, resource="aborted"), abort=True)
    await stage.send(DECISIONS, stage.decisions(20, 30, resource="committed"))
    async with stage.archiving():
        await stage.rows_are(50)
    await stage.exact(50)
    assert await stage.ask("SELECT count() FROM decisions WHERE resource = 'aborted'") == [(0,)]


async def test_an_open_transaction_delays_its_own_topic_alone(stage: Stage) -> None:
    async with stage.archiving():
        async with stage.transaction(abort=True) as producer:
            await producer.send_and_wait(f"{stage.prefix}{CHECKPOINTS.name}", b"aborted", partition=0)
            await stage.send(CHECKPOINTS, [stage.checkpoint(5)])
            await stage.send(DECISIONS, stage.decisions(0, 5))
            await stage.rows_are(5)
            assert await stage.count("checkpoints") == 0
        await stage.rows_are(1, "checkpoints")


async def test_one_intent_over_months_and_schemas_is_one_batch_each(stage: Stage) -> None:
    records = [
        record | {"received_at": START_MS + DAY_MS * record["seq"]} for record in stage.decisions(0, 120)
    ]
    for first, last, schema_id in ((0, 40, 201), (40, 80, 202), (80, 120, 201)):
        part = [record | {"schema": schema_id} for record in records[first:last]]
        await stage.send(DECISIONS, part, schema_id=schema_id)
    async with stage.archiving():
        await stage.rows_are(120)
    await stage.exact(120)
    assert (await stage.intents())[DECISIONS.name].rows == 120, "the months came in one intent"
    months = await stage.ask(
        "SELECT toYYYYMM(received_at), schema, count() FROM decisions GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert sum(rows for _, _, rows in months) == 120
    assert {schema for _, schema, _ in months} == {201, 202}
    assert len({month for month, _, _ in months}) == 5


async def test_threats_dead_letters_and_checkpoints_arrive(stage: Stage) -> None:
    place = {"log_id": stage.log_id, "partition": 0, "source_offset": 4, "received_at": START_MS}
    threat = {
        **place,
        "seq": 4,
        "tenant": "acme",
        "agent_id": "a",
        "detector": "burst",
        "title": "t",
        "severity": "high",
        "score": 0.5,
        "evidence": ["e1", "e2"],
        "first_at": START_MS,
        "last_at": START_MS,
        "tags": ["ASI02"],
        "dedup_key": "k",
        "bundle": "b",
    }
    letter = {
        **place,
        "topic": "agent.actions",
        "stage": "decode",
        "error_class": "Malformed",
        "message": "m",
        "value_bytes": 3,
        "headers": [{"key": "h", "value": b"\xff\x00"}],
        "value": b"\x00\xff\xfe",
    }
    await stage.send(THREATS, [threat, threat])
    await stage.send(DEAD_LETTERS, [letter])
    await stage.send(CHECKPOINTS, [stage.checkpoint(1), stage.checkpoint(2)])
    async with stage.archiving():
        for table, rows in (("threats", 2), ("dead_letters", 1), ("checkpoints", 2)):
            await stage.rows_are(rows, table)
    assert await stage.ask("SELECT severity, evidence, tags FROM threats LIMIT 1") == [
        ("high", ["e1", "e2"], ["ASI02"])
    ]
    assert await stage.ask("SELECT hex(value), hex(headers[1].value) FROM dead_letters") == [
        ("00FFFE", "FF00")
    ]
    assert await stage.ask("SELECT size, note FROM checkpoints ORDER BY size") == [
        (1, "note of 1"),
        (2, "note of 2"),
    ]
    async with stage.archiving():
        await asyncio.sleep(0.3)
    assert [await stage.count(t) for t in ("threats", "dead_letters", "checkpoints")] == [2, 1, 2]


async def test_incidents_and_receipts_arrive_once_though_they_have_no_received_at(wide: Stage) -> None:
    opened = {
        "log_id": wide.log_id,
        "incident_id": "i1",
        "group_key": "acme/a",
        "status": "open",
        "severity": "high",
        "title": "t",
        "opened_at": START_MS,
        "updated_at": START_MS,
        "tenant": "acme",
    }
    receipt = {
        "log_id": wide.log_id,
        "partition": 1,
        "destination": "siem",
        "topic": "agent.decisions",
        "first_offset": 0,
        "last_offset": 9,
        "events": 8,
        "filtered": 2,
        "kept_aside": 0,
        "tries": 1,
        "milliseconds": 12,
    }
    of = newest("incident")
    grown = [opened, {**opened, "revision": 2, "status": "resolved", "resolved_at": START_MS + 5000}]
    await wide.send_raw(INCIDENTS, [(2, of.prefix + encode_body(of, record)) for record in grown])
    await wide.send(DELIVERIES, [receipt, receipt])
    async with wide.archiving():
        await wide.rows_are(2, "incidents")
        await wide.rows_are(2, "deliveries")
    async with wide.archiving():
        await asyncio.sleep(0.3)
    assert await wide.ask(
        "SELECT incident_id, status, partition, toString(resolved_at_time) FROM incidents_now"
    ) == [("i1", "resolved", 2, "2026-09-21 14:13:25.000")]
    assert [await wide.count(t) for t in ("incidents", "deliveries")] == [2, 2]


async def test_several_archives_share_and_hand_over(wide: Stage) -> None:
    first, second = wide.archive(), wide.archive()
    tasks = [asyncio.create_task(first.run())]
    total = 0

    async def send(count: int) -> None:
        nonlocal total
        for partition in range(wide.partitions):
            await wide.send(DECISIONS, wide.decisions(total, count, partition))
        total += count
        await wide.rows_are(total * wide.partitions)

    await send(20)
    tasks.append(asyncio.create_task(second.run()))
    for _ in range(5):
        await send(20)
    first.stop.set()
    await tasks[0]
    await send(20)
    second.stop.set()
    await tasks[1]
    for partition in range(wide.partitions):
        await wide.exact(total, partition)
