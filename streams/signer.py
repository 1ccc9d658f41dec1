"""Says when a partition's committed tree is to be signed, and signs it."""

import time

from ledger.checkpoint import Checkpoint, origin, sign_checkpoint
from ledger.keys import SigningKey
from schemas.codec import encode
from streams.partition import Place
from streams.progress import Progress

EVERY_SECONDS = 1.0


class Signer:
    """Signs at most once a second. Only committed trees: the note travels in a later transaction."""

    def __init__(self, place: Place, key: SigningKey) -> None:
        self._place = place
        self._key = key
        self._signed = -1
        self._at = 0.0

    def is_due(self, committed: Progress, now: bool = False) -> bool:
        """Whether the tree has grown since the last note, and a second is over (or `now`)."""
        grown = committed.frontier.size > max(self._signed, 0)
        return grown and (now or time.monotonic() - self._at >= EVERY_SECONDS)

    def sign(self, committed: Progress) -> bytes:
        """The checkpoint record of a committed tree."""
        tree = committed.frontier
        root = tree.root()
        note = sign_checkpoint(
            Checkpoint(origin(self._place.log_id, self._place.partition), tree.size, root), self._key
        )
        self._at = time.monotonic()
        return encode(
            "checkpoint",
            {
                "log_id": self._place.log_id,
                "partition": self._place.partition,
                "size": tree.size,
                "root": root,
                "received_at": committed.received_at,
                "note": note,
            },
        )

    def signed(self, size: int) -> None:
        """The note of this size is on the broker."""
        self._signed = size
