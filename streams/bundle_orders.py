"""The orders that put a bundle in force: its parts, then one head, which is the moment it counts from. No IO.

A part's payload is a JSON line ({"digest", "number", "count"}) and a piece of the packed bundle. A head's is
its canonical JSON, compressed. So a worker of before there were heads takes it for a bundle of a newer
language, and stops judging rather than go on under rules that are no longer in force. Its bundles, payloads
that unpack to a bundle's JSON, are read as heads of serial 0.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from policies.canonical import canonical
from runtime.errors import Malformed, Newer
from streams.bundle_signature import DIGEST, LARGEST_NOTE

Slot = Literal["stable", "canary"]

PART_BYTES = 900_000
"""Of the packed bundle in one order: brokers are often set to take no record above 1 MiB."""

LARGEST_PACKED = 64 << 20
LARGEST_HEAD = 64 << 10
MOST_PARTS = 1_000


@dataclass(frozen=True, slots=True)
class Head:
    """Puts a bundle in force.

    Attributes:
        serial: above that of every head before it on this log; 0 is an order of before there were serials.
        digest: names the bundle; empty where the canary ends.
        slot: for all agents, which ends a canary, or for a share of them.
        share: the canary's, in percent, of two decimals at most; 0 ends the canary.
        parts: how many orders before it carry the bundle; 0 means that the topic has it already.
        size: bytes of the packed bundle; 0 without parts.
        signature: the signed note that vouches for the digest.
        reason: the author's words.
    """

    serial: int
    digest: str
    slot: Slot = "stable"
    share: float = 0
    parts: int = 0
    size: int = 0
    signature: str = ""
    reason: str = ""

    @property
    def ends_canary(self) -> bool:
        """Whether all that it does is to end the canary."""
        return self.slot == "canary" and not self.share


def head_payload(head: Head) -> bytes:
    """The payload of a head's order."""
    return zlib.compress(canonical(asdict(head)), 9)


def read_head(text: bytes) -> Head | None:
    """Read a head from an unpacked payload; None where it is something else, such as a bundle.

    Raises:
        Malformed: a head that makes no sense.
        Newer: a head that says what this version does not know.
    """
    if len(text) > LARGEST_HEAD:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or "serial" not in value:
        return None
    unknown = sorted(value.keys() - {f.name for f in fields(Head)})
    if unknown or value.get("slot") not in ("stable", "canary"):
        raise Newer(f"it says {', '.join(unknown)[:100] or 'slot'} in a way that this version does not know")
    try:
        head = Head(**value)
    except TypeError as error:
        raise Malformed(f"a head that is not whole: {error}") from error
    why = _nonsense(head)
    if why:
        raise Malformed(f"a head that makes no sense: {why}")
    return head


def _nonsense(head: Head) -> str:
    whole = {"serial": (1, 1 << 53), "parts": (0, MOST_PARTS), "size": (0, LARGEST_PACKED)}
    for name, (least, most) in whole.items():
        number = getattr(head, name)
        if type(number) is not int or not least <= number <= most:
            return f"{name} is {str(number)[:64]!r}"
    if not all(isinstance(text, str) for text in (head.digest, head.signature, head.reason)):
        return "digest, signature and reason are texts"
    if type(head.share) not in (int, float) or not 0 <= head.share <= 100:
        return f"share is {str(head.share)[:64]!r}; it is a percentage"
    if round(head.share, 2) != head.share:
        return f"share is {head.share}; two decimals are kept"
    if head.slot == "stable" and head.share:
        return "a bundle for all has a share"
    if head.ends_canary != (not head.digest):
        return "a share goes with a digest, and only with one"
    if head.digest and not DIGEST.fullmatch(head.digest):
        return f"{head.digest[:80]!r} is no digest"
    if len(head.signature) > LARGEST_NOTE or len(head.reason) > LARGEST_NOTE:
        return "its signature or its reason is too long"
    return "" if bool(head.parts) == bool(head.size) else "size and parts go together"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a packed bundle: the `number`th, from 0, of `count`."""

    digest: str
    number: int
    count: int
    piece: bytes


def part_payloads(digest: str, packed: bytes) -> Iterator[bytes]:
    """The payloads of the orders that carry a packed bundle, in order; one at least."""
    pieces = [packed[at : at + PART_BYTES] for at in range(0, len(packed), PART_BYTES)]
    for number, piece in enumerate(pieces):
        yield canonical({"digest": digest, "number": number, "count": len(pieces)}) + b"\n" + piece


def read_part(payload: bytes) -> Part:
    """Read a part.

    Raises:
        Malformed: it is none.
    """
    line, newline, piece = payload.partition(b"\n")
    value: Any = None
    if newline and piece and len(line) < 200:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"a part whose first line is no JSON: {error}") from error
    if not isinstance(value, dict) or value.keys() != {"digest", "number", "count"}:
        raise Malformed("a part says its digest, number and count on the first line, and is not empty")
    digest, number, count = value["digest"], value["number"], value["count"]
    sound = type(number) is int and type(count) is int and 0 <= number < count <= MOST_PARTS
    if not sound or not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise Malformed(f"a part that makes no sense: {line[:200]!r}")
    return Part(digest, number, count, piece)
