"""Parts of bundles whose head has not come: bounded in number and bytes; and what is packed."""

import hashlib
import zlib
from dataclasses import dataclass, field

from policies.bundle import LARGEST_BUNDLE
from runtime.errors import Malformed
from streams.bundle_orders import LARGEST_HEAD, LARGEST_PACKED, Part

MOST_UNFINISHED = 4
CHUNK = 1 << 20


@dataclass
class Parts:
    """The pieces of at most 4 bundles, and 64 MiB in all; what came first is dropped first.

    A second part of one number takes the first one's place; a part that counts otherwise begins anew.
    """

    _pieces: dict[str, dict[int, Part]] = field(default_factory=dict)

    def add(self, part: Part) -> None:
        """Keep a part."""
        known = self._pieces.pop(part.digest, {})
        if any(other.count != part.count for other in known.values()):
            known = {}
        self._pieces[part.digest] = {**known, part.number: part}  # now the newest
        while len(self._pieces) > MOST_UNFINISHED or (self.size > LARGEST_PACKED):
            del self._pieces[next(iter(self._pieces))]

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(len(part.piece) for pieces in self._pieces.values() for part in pieces.values())

    def joined(self, digest: str, count: int, size: int) -> bytes:
        """The packed bundle.

        Raises:
            Malformed: a part did not come, or was dropped, or together they are not of this size.
        """
        pieces = self._pieces.get(digest, {})
        missing = [n for n in range(count) if n not in pieces or pieces[n].count != count]
        if missing:
            raise Malformed(
                f"of the bundle's {count} parts {len(missing)} did not come before the head: number"
                f" {', '.join(map(str, missing[:8]))}{' …' if len(missing) > 8 else ''}"
            )
        packed = b"".join(pieces[n].piece for n in range(count))
        if len(packed) != size:
            raise Malformed(f"the bundle's parts have {len(packed)} bytes; its head says {size}")
        return packed

    def drop(self, digest: str) -> None:
        """Forget the parts of a bundle: its head has come."""
        self._pieces.pop(digest, None)


def inflate(packed: bytes) -> tuple[str, bytes]:
    """The digest of what is packed, and the whole of it where it is small (`LARGEST_HEAD`), else nothing.

    Not more than a piece of it stands in memory at once.

    Raises:
        Malformed: not zlib, larger than a bundle may be, cut short, or followed by other bytes.
    """
    reader, digest, size, small = zlib.decompressobj(), hashlib.sha256(), 0, b""
    data = packed
    try:
        while not reader.eof and (text := reader.decompress(data, CHUNK)):
            data = reader.unconsumed_tail
            size += len(text)
            if size > LARGEST_BUNDLE:
                raise Malformed(f"the bundle decompresses to more than {LARGEST_BUNDLE} bytes")
            digest.update(text)
            small = text if size == len(text) <= LARGEST_HEAD else b""
    except zlib.error as error:
        raise Malformed(f"the bundle does not decompress: {error}") from error
    if not reader.eof or reader.unused_data:
        raise Malformed("the compressed bundle is cut short, or other bytes follow it")
    return f"sha256:{digest.hexdigest()}", small
