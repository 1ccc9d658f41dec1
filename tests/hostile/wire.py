"""Batches built by hand: what no ordinary client sends, under a checksum that fits.

Source of the format: Kafka's protocol, "Record Batch" (magic 2).
"""

import struct
import time
from collections.abc import Sequence
from typing import Any

import cramjam
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from runtime.kafka import Options
from tests.schemas.encodings import varint

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def record(offset: int, value: bytes | None, key: bytes | None = b"k") -> bytes:
    """One record of a batch, without headers."""
    parts = [b"\x00", varint(0), varint(offset)]
    parts += [varint(-1) if blob is None else varint(len(blob)) + blob for blob in (key, value)]
    body = b"".join([*parts, varint(0)])
    return varint(len(body)) + body


def batch(records: bytes, count: int, codec: int) -> bytes:
    """A batch of `count` records whose compressed bytes are `records`."""
    now = int(time.time() * 1000)
    tail = struct.pack(">hiqqqhii", codec, count - 1, now, now, -1, -1, -1, count) + records
    head = struct.pack(">iBI", -1, 2, calc_crc32c(tail))
    return struct.pack(">qi", 0, len(head) + len(tail)) + head + tail


async def send_batch(options: Options, topic: str, partition: int, raw: bytes) -> None:
    """Send a batch as it is.

    Raises:
        aiokafka.errors.KafkaError: the broker refuses it.
    """
    async with AIOKafkaProducer(**options, max_request_size=1 << 24) as producer:
        builder: Any = producer.create_batch()
        builder.append(timestamp=None, key=None, value=b"x")
        builder.close()
        builder._build()
        builder._buffer = bytearray(raw)
        await (await producer.send_batch(builder, topic, partition=partition))


def compressed(codec: str, records: Sequence[bytes]) -> bytes:
    """A batch of records (see `record`), compressed whole."""
    squeezed = getattr(cramjam, codec).compress(b"".join(records))
    return batch(bytes(squeezed), len(records), CODECS[codec])
