"""Says when a partition's committed tree is to be signed, and signs it."""

import asyncio
import time
from dataclasses import dataclass

import structlog

from ledger.checkpoint import Checkpoint, origin, sign_checkpoint
from ledger.keys import NoteKey
from ledger.rollover import rollover_line
from runtime import metrics
from runtime.errors import PraetorError
from schemas.codec import encode
from streams.ledger_keys import LedgerKeys
from streams.partition import Place
from streams.progress import Progress

log = structlog.get_logger()

EVERY_SECONDS = 1.0
SLOWEST_SECONDS = 60.0


@dataclass(frozen=True)
class Ready:
    """A checkpoint's record, and the size that it signs."""

    size: int
    record: bytes


class Signer:
    """Signs at most once a second. Only committed trees: the note travels in a later transaction.

    Keys that are not at hand sign in a thread, while judging goes on; what fails is tried again, ever more
    seldom, and delays nothing but the checkpoint.
    """

    def __init__(self, place: Place, keys: LedgerKeys | NoteKey) -> None:
        self._place = place
        self._keys = keys if isinstance(keys, LedgerKeys) else LedgerKeys(keys)
        self._signed = -1
        self._not_before = 0.0
        self._wait = EVERY_SECONDS
        self._ready: Ready | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending = False

    def is_due(self, committed: Progress, now: bool = False) -> bool:
        """Whether `sign` has a note to give: the tree has grown, and a second is over (or `now`).

        With keys that are not at hand this begins to sign, and is true once that is done.
        """
        if self._ready is not None:
            return True
        if not self._is_wanted(committed, now):
            return False
        if not self._keys.at_hand and self._task is None and not self._ending:
            self._task = asyncio.create_task(self._sign_elsewhere(committed))
        return self._keys.at_hand

    def sign(self, committed: Progress) -> bytes:
        """The checkpoint record of a committed tree; with keys not at hand, that which is ready."""
        if self._ready is None:
            self._begin()
            self._ready = self._make(committed)
        return self._ready.record

    def published(self) -> int:
        """The note that `sign` gave is on the broker; the size that it signs."""
        if self._ready is not None:
            self._signed, self._ready = self._ready.size, None
        return self._signed

    async def settle(self, committed: Progress) -> None:
        """Before the end: wait for keys that are not at hand, and have them sign what they have not."""
        self._ending = True
        if self._task is not None:
            await asyncio.wait([self._task])
        behind = self._ready is None or self._ready.size < committed.frontier.size
        if not self._keys.at_hand and behind and self._is_wanted(committed, now=True):
            await self._sign_elsewhere(committed)

    def close(self) -> None:
        """Wait for nothing any more."""
        if self._task is not None:
            self._task.cancel()

    def _is_wanted(self, committed: Progress, now: bool) -> bool:
        size = committed.frontier.size
        # in a roll-over an empty tree is signed too: it hands over as well
        grown = size > max(self._signed, 0) or (self._signed < 0 and self._keys.next is not None)
        return grown and (now or time.monotonic() >= self._not_before)

    def _begin(self) -> None:
        self._not_before = time.monotonic() + self._wait

    async def _sign_elsewhere(self, committed: Progress) -> None:
        self._begin()
        try:
            self._ready = await asyncio.to_thread(self._make, committed)
            self._wait = EVERY_SECONDS
        except PraetorError as error:
            metrics.SIGNING_FAILURES.inc()
            self._wait = min(SLOWEST_SECONDS, 2 * self._wait)
            self._begin()
            log.error(
                "checkpoint not signed; judging goes on, the decisions stay unsigned until it is",
                partition=self._place.partition,
                size=committed.frontier.size,
                error=str(error),
                again_in=self._wait,
            )
        finally:
            self._task = None

    def _make(self, committed: Progress) -> Ready:
        tree, place, keys = committed.frontier, self._place, self._keys
        root = tree.root()
        lines = () if keys.next is None else (rollover_line(keys.current.verify_key, keys.next.verify_key),)
        checkpoint = Checkpoint(origin(place.log_id, place.partition), tree.size, root, lines)
        fields = {
            "log_id": place.log_id,
            "partition": place.partition,
            "size": tree.size,
            "root": root,
            "received_at": committed.received_at,
            "note": sign_checkpoint(checkpoint, *keys.signers),
        }
        return Ready(tree.size, encode("checkpoint", fields))
