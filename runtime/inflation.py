"""Whether a compressed batch inflates to what memory is meant for; asked before it is inflated.

Clients limit a batch by its uncompressed size (librdkafka 1 MB, Java's client 16 KB by default), brokers by
its compressed one alone: nothing but this stands between 1 MiB of zstd and 34 GB.
"""

import mmap
from functools import cache

import cramjam

MAX_INFLATED_BYTES = 64 << 20

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
# how many times its size a compressed stream can become: 4 bytes of zstd can be a block of 128 KiB
MOST_TIMES = {GZIP: 1_032, SNAPPY: 22, LZ4: 255, ZSTD: 1 << 15}
DECODERS = {GZIP: cramjam.gzip, LZ4: cramjam.lz4, ZSTD: cramjam.zstd}


@cache
def _scratch() -> mmap.mmap:
    # pages that nothing was written to take no memory, and making them anew takes longer than inflating
    return mmap.mmap(-1, MAX_INFLATED_BYTES)


def inflates_within(codec: int, data: bytes | memoryview) -> bool:
    """Whether a batch's compressed records come to at most `MAX_INFLATED_BYTES`.

    False also where they cannot be inflated. Not for several threads at once.
    """
    times = MOST_TIMES.get(codec)
    if times is None or len(data) * times <= MAX_INFLATED_BYTES:
        return True
    decoder = DECODERS.get(codec)
    if decoder is None:
        return False
    try:
        decoder.decompress_into(data, _scratch())
    except cramjam.DecompressionError:
        return False
    return True
