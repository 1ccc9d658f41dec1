"""What the archive cannot insert stops it, with a message that says what to do; nothing is passed over."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from consumers.place import ARCHIVED
from runtime.errors import PraetorError
from runtime.settings import Settings
from schemas.topics import ARCHIVE, DECISIONS, topic_name
from sinks.migrate import migrate
from tests.archive.helpers import Stage

ALL = (*(topic for topic, _ in ARCHIVED), ARCHIVE)


async def stops(stage: Stage, message: str) -> None:
    with pytest.raises(PraetorError, match=message):
        await asyncio.wait_for(stage.archive().run(), 60)


async def test_a_gap_between(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 50))
    async with stage.archiving():
        await stage.rows_are(50)
    await stage.send(DECISIONS, stage.decisions(51, 5))
    await stops(stage, r"offset 51 has seq 51, but the next to archive is 50")
    assert await stage.count() == 50


async def test_decisions_deleted_unarchived(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 5))
    async with stage.archiving():
        await stage.rows_are(5)
    for first in (5, 10):
        await stage.send(DECISIONS, stage.decisions(first, 5))
    await delete_before(stage, 12)
    await stops(stage, r"has seq 10, but the next to archive is 5")


async def delete_before(stage: Stage, offset: int) -> None:
    """What retention does."""
    tp = TopicPartition(topic_name(DECISIONS, stage.prefix), 0)
    async with stage.admin() as admin:
        await admin.delete_records({tp: RecordsToDelete(before_offset=offset)})


async def test_decisions_deleted_after_they_were_archived_are_no_gap(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 5))
    async with stage.archiving():
        await stage.rows_are(5)
    await delete_before(stage, 6)
    await stage.send(DECISIONS, stage.decisions(5, 5))
    async with stage.archiving():
        await stage.rows_are(10)
    await stage.exact(10)


async def test_a_topic_recreated_under_its_intents(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 50))
    async with stage.archiving():
        await stage.rows_are(50)
    await stage.delete_topics(DECISIONS)
    await stage.create_topics([DECISIONS])
    await stage.send(DECISIONS, stage.decisions(0, 10))
    await stops(stage, r"ends at offset 11, but was archived up to (49|50): the topic was recreated")
    await stage.exact(50)


async def test_all_topics_recreated_under_a_filled_clickhouse(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 50))
    async with stage.archiving():
        await stage.rows_are(50)
    await stage.delete_topics(*ALL)
    await stage.create_topics(ALL)
    await stage.send(DECISIONS, stage.decisions(0, 60, resource="new"))
    await stops(stage, r"ClickHouse holds rows of log .* partition 0 in decisions: the topics were recreated")
    await stage.exact(50)


async def test_a_database_dropped_under_its_intents(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 5))
    async with stage.archiving():
        await stage.rows_are(5)
    database = stage.settings.clickhouse_database
    await stage.ask(f"DROP DATABASE {database}")
    other = Stage(stage.settings.bootstrap, stage.settings.clickhouse_url)
    other.settings = replace_database(stage, f"{database}_new")
    await asyncio.to_thread(migrate, other.settings)
    other.prefix, other.log_id = stage.prefix, stage.log_id
    await stops(other, r"archived up to seq 4 .* but ClickHouse does not hold it: the database was dropped")


def replace_database(stage: Stage, name: str) -> Settings:
    return stage.settings.model_copy(update={"clickhouse_database": name})


async def test_a_record_that_is_no_decision(stage: Stage) -> None:
    await stage.send(DECISIONS, stage.decisions(0, 5))
    await stage.send_raw(DECISIONS, [(0, None)])
    await stops(stage, r"agent\.decisions/0 offset 6 cannot be archived: its value is null")


async def test_missing_topics_are_named(broker: str, clickhouse: str) -> None:
    await stops(Stage(broker, clickhouse), r"topics are missing: .*agent\.archive.*praetor topics create")
