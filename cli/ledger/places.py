"""Which place of the ledger a command reads, and which of its logs."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.ledger.clickhouse import ClickHouseSource
from cli.ledger.kafka import KafkaSource
from cli.ledger.sources import Log, Source
from cli.ledger.tables import Tables
from cli.ledger.topics import Topics
from ledger.errors import MalformedKey
from ledger.keys import VerifyKey
from runtime.errors import PraetorError
from runtime.kafka import common_options
from runtime.settings import Settings
from streams.keyring import LEDGER, read_key_file, read_verify_keys


class Place(StrEnum):
    """A place that keeps the ledger."""

    kafka = "kafka"
    clickhouse = "clickhouse"


From = Annotated[
    Place, typer.Option("--from", help="Read Kafka, or ClickHouse alone (which keeps the ledger for ever).")
]
Witness = Annotated[
    Path | None,
    typer.Option(help="Checkpoints kept elsewhere: signed notes, or JSON. See: praetor ledger show --notes"),
]
TrustedKey = Annotated[
    list[str] | None,
    typer.Option(
        "--key", help="Trust this public key: its text (`name+hash+base64`), or a file of such lines."
    ),
]


def trusted_keys(given: Sequence[str] | None, settings: Settings) -> list[VerifyKey]:
    """The keys given as texts or files, else those of ledger.pub.

    Raises:
        PraetorError: one cannot be read, or is none.
    """
    if not given:
        return read_verify_keys(settings.keys, LEDGER)
    found: list[VerifyKey] = []
    for text in given:
        try:
            found += [VerifyKey.from_text(text)] if text.count("+") > 1 else read_key_file(Path(text))
        except MalformedKey as error:
            raise PraetorError(f"--key {text[:100]}: {error}") from error
    return found


@contextmanager
def opened(place: Place, settings: Settings) -> Iterator[Source]:
    """The place, connected.

    Raises:
        PraetorError, Unavailable: it is not there, or holds no ledger.
    """
    source: Source
    if place is Place.kafka:
        source = KafkaSource(Topics(common_options(settings), settings.topic_prefix))
    else:
        source = ClickHouseSource(Tables(settings))
    try:
        yield source
    finally:
        source.close()


def chosen(logs: Collection[Log], partition: int | None) -> list[Log]:
    """The logs, or those of one partition.

    Raises:
        PraetorError: there is none.
    """
    found = sorted(log for log in logs if partition in (None, log.partition))
    if not found:
        there = ", ".join(str(p) for p in sorted({log.partition for log in logs}))
        raise PraetorError(f"no log of partition {partition}; there are: {there}")
    return found


def log_of(origin: str) -> Log:
    """The log that a checkpoint's first line names.

    Raises:
        PraetorError: it is not `<log_id>/<partition>`.
    """
    log_id, slash, partition = origin.rpartition("/")
    if not slash or not partition.isdecimal() or str(int(partition)) != partition:
        raise PraetorError(f"a note of origin {origin[:100]!r}: <log id>/<partition> was expected")
    return Log(log_id, int(partition))
