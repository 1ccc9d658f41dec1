"""A dead letter in words; nothing of it can steer a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime

from schemas.codec import Record
from streams.redriven import Redrives

SHOWN_BYTES = 4096


def describe(letter: Record, redrives: Redrives) -> Iterator[str]:
    """A dead letter in lines of text."""
    place = letter["partition"], letter["source_offset"]
    yield f"received      {time_of(letter['received_at'])}"
    yield f"from          {plain(letter['topic'])}, partition {place[0]}, offset {place[1]}"
    yield f"log           {plain(letter['log_id'])}"
    yield f"stage         {plain(letter['stage'])}"
    yield f"error         {plain(letter['error_class'])}: {plain(letter['message'])}"
    if (origin := redrives.origin(*place)) is not None:
        yield f"origin        redriven from offset {origin.first_offset}, attempt {origin.attempt}"
    if (redriven := redrives.of(*place)) is not None:
        when = time_of(redriven.redriven_at)
        yield f"redriven      as offset {redriven.target_offset}, attempt {redriven.attempt}, {when}"
    yield f"key           {_bytes(letter['key'])}"
    for header in letter["headers"]:
        yield f"header        {plain(header['key'])} = {_bytes(header['value'])}"
    value = letter["value"]
    if value is None:
        yield "value         null" if letter["stage"] == "decode" else "value         not kept"
        return
    yield f"value         {letter['value_bytes']} bytes, SHA-256 {letter['value_sha256'].hex()}"
    yield from hexdump(value[:SHOWN_BYTES])
    if len(value) > SHOWN_BYTES:
        yield f"... {len(value) - SHOWN_BYTES} more bytes are kept: write them with --raw FILE"


def hexdump(value: bytes) -> Iterator[str]:
    """Sixteen bytes a line: their place, their digits, what is ASCII of them."""
    for at in range(0, len(value), 16):
        row = value[at : at + 16]
        digits = " ".join(f"{byte:02x}" for byte in row)
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{at:08x}  {digits:<47}  {text}"


def plain(text: str) -> str:
    """The text with every character that could steer a terminal written as an escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def time_of(milliseconds: int) -> str:
    """A time in UTC; one that no calendar has, as its number."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bytes(value: bytes | None) -> str:
    if value is None:
        return "null"
    text = value[:1000].decode("utf-8", "backslashreplace")
    return plain(text[:200]) + ("..." if len(text) > 200 else "")
