"""Compressed streams that are read piece by piece: zstd, as pzstd writes it; `zstd -d` reads it too.

Frame after frame, each behind a skippable frame that holds its length: the decoder at hand takes whole frames
only. Source: RFC 8878 section 3.1.2, and facebook/zstd, contrib/pzstd.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import cramjam

LEVEL = 3
FRAME_BYTES = 1 << 20
# magic number, length of what follows (4), length of the frame behind it
SIZE = struct.Struct("<III")
SKIPPABLE = 0x184D2A50


def compress(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Compress a stream, about 1 MiB of it a frame; nothing for an empty one."""
    gathered = bytearray()
    for block in blocks:
        gathered += block
        if len(gathered) >= FRAME_BYTES:
            yield _frame(gathered)
            gathered = bytearray()
    if gathered:
        yield _frame(gathered)


def decompress(file: BinaryIO) -> Iterator[bytes]:
    """The stream again, a frame at a time.

    Raises:
        ValueError: it is cut off, or nothing that `compress` wrote.
    """
    while head := file.read(SIZE.size):
        if len(head) < SIZE.size:
            raise ValueError("it ends within a frame's head")
        magic, four, length = SIZE.unpack(head)
        if (magic, four) != (SKIPPABLE, 4):
            raise ValueError("no frame begins where one should")
        frame = file.read(length)
        if len(frame) < length:
            raise ValueError("it ends within a frame")
        try:
            yield bytes(cramjam.zstd.decompress(frame))
        except cramjam.DecompressionError as error:
            raise ValueError(f"a frame does not decompress: {error}") from error


def _frame(data: bytearray) -> bytes:
    frame = bytes(cramjam.zstd.compress(data, LEVEL))
    return SIZE.pack(SKIPPABLE, 4, len(frame)) + frame
