"""The content encodings of ClickHouse's HTTP interface."""

from typing import Protocol

import cramjam


class Compressor(Protocol):
    """Compresses a body piece by piece."""

    def add(self, data: bytes) -> bytes:
        """Take the next piece; return what may be sent already."""
        ...

    def end(self) -> bytes:
        """Return the rest."""
        ...


class Plain:
    """No encoding."""

    def add(self, data: bytes) -> bytes:
        """Return the piece as it is."""
        return data

    def end(self) -> bytes:
        """There is no rest."""
        return b""


class Encoded:
    """One of cramjam's codecs."""

    def __init__(self, encoding: str) -> None:
        self._codec = CODECS[encoding].Compressor()

    def add(self, data: bytes) -> bytes:
        """Compress the piece and flush it."""
        self._codec.compress(data)
        return bytes(self._codec.flush())

    def end(self) -> bytes:
        """Close the frame."""
        return bytes(self._codec.finish())


CODECS = {"lz4": cramjam.lz4, "zstd": cramjam.zstd, "gzip": cramjam.gzip}


def decompress(data: bytes, encoding: str) -> bytes:
    """Return a whole request body without its Content-Encoding.

    Raises:
        KeyError: not an encoding known here.
        ValueError: the data is not of that encoding.
    """
    codec = CODECS[encoding]
    try:
        return bytes(codec.decompress(data))
    except cramjam.DecompressionError as error:
        raise ValueError(f"the body is not valid {encoding}: {error}") from error


def choose(accept_encoding: str) -> str:
    """Return the first encoding of an Accept-Encoding header that is known here, else ""."""
    offered = (piece.partition(";")[0].strip().lower() for piece in accept_encoding.split(","))
    return next((encoding for encoding in offered if encoding in CODECS), "")
