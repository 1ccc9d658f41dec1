"""The fold of agent.control: the log, the rules in force, what may be skipped. No IO."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from judgement.rules import Rules, compile_rules
from ledger.keys import VerifyKey
from policies.bundle import unpack_bundle
from runtime.errors import Malformed, Newer, PraetorError
from schemas.topics import CONTROL
from streams.orders import Order, open_order

log = structlog.get_logger()


@dataclass
class ControlView:
    """The fold of agent.control up to and with `offset`. Unbelievable records are counted in `rejected`.

    A believed order that this version does not understand is never passed over. `newer` says so of an order
    of an unknown kind: whoever judges must stop. Of a bundle, `unread` says so, and there are no rules until
    a bundle follows that can be read.
    """

    keys: Sequence[VerifyKey]
    offset: int = -1
    log_id: str = ""
    partitions: int = 0
    rules: Rules | None = None
    skips: dict[int, dict[int, int]] = field(default_factory=dict)
    rejected: int = 0
    newer: str = ""
    unread: str = ""
    _given: dict[bytes, int] = field(default_factory=dict)

    async def apply(self, offset: int, value: bytes | None) -> str:
        """Fold one record; return why it is not believed, or nothing where it is.

        A record that is not believed changes nothing but the offset and the count.
        """
        self.offset = offset
        try:
            order = open_order(value, self.keys)
            await self._apply(order)
            self._given[order.digest()] = offset
        except Newer as error:
            self.rejected += 1
            log.error("control record not understood", offset=offset, reason=str(error))
            return str(error)
        except (Malformed, PraetorError, KeyError, TypeError, ValueError) as error:
            self.rejected += 1
            log.warning("control record ignored", offset=offset, reason=str(error))
            return str(error) or type(error).__name__
        return ""

    async def _apply(self, order: Order) -> None:
        # else whoever may write to the topic could put an old bundle in force again
        if order.digest() in self._given:
            raise Malformed(f"a copy of the order at offset {self._given[order.digest()]}")
        if order.kind == "log":
            self._apply_log(order)
            return
        if order.log_id != self.log_id:
            raise Malformed(f"an order for log {order.log_id[:64]!r}; this is log {self.log_id!r}")
        if order.kind == "bundle":
            await self._apply_bundle(order)
        elif order.kind == "skip":
            self._apply_skip(order)
        else:
            self.newer = (
                f"{CONTROL.name} offset {self.offset} holds an order of kind {order.kind[:64]!r}, signed by"
                f" {order.author[:64]!r}, which this version of praetor does not know: run a newer one"
            )
            raise Newer(self.newer)

    async def _apply_bundle(self, order: Order) -> None:
        try:
            # in a thread: the pipelines go on with the rules that they have
            rules = await asyncio.to_thread(lambda: compile_rules(unpack_bundle(order.payload)))
        except Newer as error:
            self.rules = None
            self.unread = (
                f"the bundle at offset {self.offset} of {CONTROL.name} cannot be read, so nothing is judged: "
                f"{error}. Run the version of praetor that published it, or publish another bundle"
            )
            raise Newer(self.unread) from error
        self.rules, self.unread = rules, ""
        log.info("bundle in force", digest=rules.digest, author=order.author)

    def _apply_skip(self, order: Order) -> None:
        skip = order.json()
        partition, start, to = (_whole(skip[name]) for name in ("partition", "from", "to"))
        if partition >= self.partitions or to <= start:
            raise Malformed(f"a skip of partition {partition} from {start} to {to}: it must go forward")
        self.skips.setdefault(partition, {})[start] = to

    def _apply_log(self, order: Order) -> None:
        minted = order.json()
        if self.log_id:
            raise Malformed(f"log {self.log_id} is minted already; {order.log_id[:64]!r} is refused")
        if minted["log_id"] != order.log_id or not _whole(minted["partitions"]):
            raise Malformed(f"log {order.log_id[:64]!r} is minted as another, or without partitions")
        self.log_id, self.partitions = order.log_id, minted["partitions"]


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 1 << 63:
        raise Malformed(f"{str(number)[:64]!r} is no whole number from 0 on")
    return number
