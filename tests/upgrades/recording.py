"""What an earlier version wrote (see record.py), and how it comes back onto a broker and into ClickHouse."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fastavro
from aiokafka import AIOKafkaProducer, TopicPartition

from policies.bundle import unpack_bundle
from runtime.kafka import Ends, Options
from runtime.settings import Settings
from schemas.codec import decode
from schemas.topics import ACTIONS, CONTROL, TOPICS
from sinks.connection import connect
from sinks.migrate import TABLE, read_migrations
from sinks.statements import split_statements
from streams.cells import Cells, add_state_record
from streams.orders import open_order
from streams.progress import PROGRESS_KEY, Progress, read_progress
from streams.topics import Wanted, create_topics

FOLDER = Path(__file__).parent
EXPIRING = ("decisions", "threats", "dead_letters")


class Recorded(NamedTuple):
    """A committed record of a topic."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Standing(NamedTuple):
    """What agent.state says of a partition at one of its progress records."""

    progress: Progress
    agents: dict[bytes, Cells]


class Recording:
    """One file; `partitions` is its log's count, `engine` what judged it."""

    def __init__(self, name: str) -> None:
        self.engine = name.removeprefix("engine").partition("-")[0]
        self._records: dict[tuple[str, int], list[Recorded]] = {}
        with (FOLDER / name).open("rb") as file:
            for found in fastavro.reader(file):
                headers = [(h["name"], h["value"]) for h in found["headers"]]
                record = Recorded(found["offset"], found["timestamp"], found["key"], found["value"], headers)
                self._records.setdefault((found["topic"], found["partition"]), []).append(record)
        self.partitions = 1 + max(p for topic, p in self._records if topic == "agent.state")

    def of(self, topic: str, partition: int = 0) -> list[Recorded]:
        """The records of a topic's partition."""
        return self._records.get((topic, partition), [])

    def plain(self, name: str) -> bytes:
        """What is no topic's: `clickhouse:<table>`, `keys:<file>`."""
        return self.of(name)[0].value or b""

    @property
    def log_id(self) -> str:
        """The log that was recorded."""
        return str(decode(self.of(CONTROL.name)[0].value, "control_record")["log_id"])

    def bundle(self, keys: Sequence[Any]) -> Any:
        """The bundle in force."""
        return unpack_bundle(open_order(self.of(CONTROL.name)[-1].value, keys).payload)

    def standings(self, partition: int) -> Iterator[Standing]:
        """The partition as it stood after each of its transactions, the genesis record first."""
        agents: dict[bytes, Cells] = {}
        for record in self.of("agent.state", partition):
            if record.key == PROGRESS_KEY:
                held = {agent: dict(cells) for agent, cells in agents.items()}
                yield Standing(read_progress(record.value, "the recording"), held)
            else:
                add_state_record(record.key or b"", record.value, agents)

    def write_keys(self, folder: Path) -> None:
        """The keys' files, as they were."""
        for name in [topic for topic, _ in self._records if topic.startswith("keys:")]:
            path = folder / name.removeprefix("keys:")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.plain(name))
            path.chmod(0o600)

    async def onto_broker(self, options: Options) -> None:
        """Write every record at its very offset: where a transaction's marker stood, one stands again."""
        await create_topics(options, Wanted(self.partitions))
        for topic in TOPICS:
            for partition in range(1 if topic is CONTROL else self.partitions):
                plain = topic in (ACTIONS, CONTROL)
                for number, run in enumerate(_runs(self.of(topic.name, partition))):
                    name = None if plain else f"recorded-{topic.name}-{partition}-{number}"
                    await _write(options, topic.name, partition, run, name)

    def into_clickhouse(self, settings: Settings) -> list[str]:
        """The tables as that version had made and filled them; the migrations that it did not know yet.

        No TTL: recordings grow older than any.
        """
        database = settings.clickhouse_database
        server = connect(settings, "")
        server.command(f"CREATE DATABASE {database}")
        server.close()
        client = connect(settings)
        client.command(TABLE)
        client.raw_insert("migrations", insert_block=self.plain("clickhouse:migrations"), fmt="Native")
        (newest,) = client.query("SELECT max(version) FROM migrations").result_rows[0]
        for migration in read_migrations():
            if migration.version <= newest:
                for statement in split_statements(migration.text):
                    client.command(statement)
        for table in EXPIRING:
            client.command(f"ALTER TABLE {table} REMOVE TTL")
        for table in (*EXPIRING, "checkpoints"):
            if rows := self.plain(f"clickhouse:{table}"):
                client.raw_insert(table, insert_block=rows, fmt="Native")
        client.close()
        return [m.name for m in read_migrations() if m.version > newest]


def _runs(records: Sequence[Recorded]) -> Iterator[list[Recorded]]:
    """Records of consecutive offsets."""
    run: list[Recorded] = []
    for record in records:
        if run and record.offset != run[-1].offset + 1:
            yield run
            run = []
        run.append(record)
    if run:
        yield run


async def _write(
    options: Options, topic: str, partition: int, run: Sequence[Recorded], transactional_id: str | None
) -> None:
    producer = AIOKafkaProducer(**options, transactional_id=transactional_id)
    await producer.start()
    try:
        if transactional_id is not None:
            await producer.begin_transaction()
        for record in run:
            sent = await producer.send_and_wait(
                topic, record.value, record.key, partition, headers=record.headers
            )
            assert sent.offset == record.offset, f"{topic}/{partition}: {sent.offset}, not {record.offset}"
        if transactional_id is not None:
            await producer.commit_transaction()
            await _marked(options, TopicPartition(topic, partition))
    finally:
        await producer.stop()


async def _marked(options: Options, tp: TopicPartition) -> None:
    """Wait for the transaction's marker: the broker writes it after it has said that all is committed."""
    ends = Ends(options)
    await ends.start()
    try:
        await ends.stable_end(tp)
    finally:
        await ends.stop()
