"""`praetor dead-letters` on a real broker, by its commands."""

import asyncio
import json
import secrets
from hashlib import sha256

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner

from cli.dead_letters.app import dead_letters_app
from runtime.errors import PraetorError
from schemas.codec import encode
from schemas.topics import DEAD_LETTERS, REDRIVEN

VALUE = bytes(range(256)) * 20
STEERING = "bad \x1b[2J \u202e [red]byte[/red]\n"


def letter(partition, source_offset, **changed):
    value = changed.get("value", VALUE)
    return {
        "log_id": "log-1",
        "partition": partition,
        "source_offset": source_offset,
        "received_at": 1_769_851_800_000 + source_offset,
        "topic": "agent.actions",
        "stage": "decode",
        "error_class": "Malformed",
        "message": STEERING,
        "value_bytes": -1 if value is None else len(value),
        "value_sha256": None if value is None else sha256(value).digest(),
        "headers": [{"key": "traceparent", "value": b"00-ab"}, {"key": "none", "value": None}],
        "key": b"acme/\xff\x1b",
        "value": value,
        **changed,
    }


async def create(bootstrap, partitions):
    """Topics of dead letters and redrives for one test: their prefix."""
    prefix = f"dl-{secrets.token_hex(4)}-"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics(
        [
            NewTopic(prefix + DEAD_LETTERS.name, partitions, 1, topic_configs=DEAD_LETTERS.config),
            NewTopic(prefix + REDRIVEN.name, 1, 1, topic_configs=REDRIVEN.config),
        ]
    )
    await admin.close()
    return prefix


async def fill(bootstrap):
    """Two partitions of letters in transactions; the last one is aborted."""
    prefix = await create(bootstrap, 2)
    topic = prefix + DEAD_LETTERS.name
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=prefix) as producer:
        for first in range(0, 300, 20):
            async with producer.transaction():
                for offset in range(first, first + 20):
                    await producer.send(topic, encode("dead_letter", letter(0, 2 * offset)), partition=0)
        async with producer.transaction():
            await producer.send(topic, encode("dead_letter", letter(1, 1000, value=None)), partition=1)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, encode("dead_letter", letter(1, 1001)), partition=1)
        await producer.abort_transaction()
    return prefix


@pytest.fixture(scope="module")
def prefix(broker):
    return asyncio.run(fill(broker))


@pytest.fixture
def run(broker, prefix, monkeypatch):
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", broker)
    monkeypatch.setenv("PRAETOR_TOPIC_PREFIX", prefix)
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments):
        return CliRunner().invoke(dead_letters_app, arguments, catch_exceptions=False)

    return invoke


def test_list_names_the_newest_committed_letters(run):
    listed = json.loads(run("list", "--json", "--limit", "260").stdout)
    places = [(row["partition"], row["source_offset"]) for row in listed]
    assert places == [(1, 1000)] + [(0, offset) for offset in range(598, 598 - 2 * 259, -2)]
    assert listed[0] == {
        "received_at": 1_769_851_801_000,
        "partition": 1,
        "source_offset": 1000,
        "stage": "decode",
        "error_class": "Malformed",
        "message": STEERING,
        "value_bytes": -1,
        "redriven_as": None,
    }
    assert len(json.loads(run("list", "--json", "--limit", "1000").stdout)) == 301


def test_list_is_a_table_that_a_letter_cannot_steer(run):
    shown = run("list", "--limit", "2").stdout
    assert "2026-01-31T09:30:01" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("offset", [0, 2, 300, 598])
def test_show_finds_a_letter_by_its_actions_place(run, offset):
    found = json.loads(run("show", "0", str(offset), "--json").stdout)
    assert (found["partition"], found["source_offset"]) == (0, offset)


def test_show_prints_everything_and_writes_the_raw_bytes(run, tmp_path):
    raw = tmp_path / "value.bin"
    lines = run("show", "0", "4", "--raw", str(raw)).stdout.splitlines()
    assert raw.read_bytes() == VALUE
    shown = "\n".join(lines)
    assert "from          agent.actions, partition 0, offset 4" in lines
    assert r"error         Malformed: bad \x1b[2J \u202e [red]byte[/red]\n" in lines
    assert r"key           acme/\xff\x1b" in lines
    assert "header        traceparent = 00-ab" in lines
    assert "header        none = null" in lines
    assert f"value         {len(VALUE)} bytes, SHA-256 {sha256(VALUE).hexdigest()}" in lines
    assert "00000040  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO" in lines
    assert "... 1024 more bytes are kept: write them with --raw FILE" in lines
    assert "\x1b" not in shown


def test_show_of_a_null_value(run):
    assert "value         null" in run("show", "1", "1000").stdout.splitlines()


@pytest.mark.parametrize(("partition", "offset"), [(0, 3), (0, 600), (1, 1001), (9, 0)])
def test_show_of_none_says_so(run, partition, offset):
    with pytest.raises(PraetorError, match=f"no dead letter of partition {partition}, offset {offset} in"):
        run("show", str(partition), str(offset))


def test_a_foreign_record_in_the_topic_is_said(broker, monkeypatch):
    async def foreign():
        prefix = await create(broker, 1)
        async with AIOKafkaProducer(bootstrap_servers=broker) as producer:
            await producer.send_and_wait(prefix + DEAD_LETTERS.name, b"hello", partition=0)
        return prefix

    monkeypatch.setenv("PRAETOR_BOOTSTRAP", broker)
    monkeypatch.setenv("PRAETOR_TOPIC_PREFIX", asyncio.run(foreign()))
    with pytest.raises(PraetorError, match="offset 0 is no dead letter, so another program writes there"):
        CliRunner().invoke(dead_letters_app, ["list"], catch_exceptions=False)


def test_none_at_all_is_said(broker, monkeypatch):
    monkeypatch.setenv("PRAETOR_BOOTSTRAP", broker)
    monkeypatch.setenv("PRAETOR_TOPIC_PREFIX", asyncio.run(create(broker, 1)))
    assert "no dead letters" in CliRunner().invoke(dead_letters_app, ["list"], catch_exceptions=False).stdout
