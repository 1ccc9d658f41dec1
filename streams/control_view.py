"""The fold of agent.control: the log, the bundles in force, what stands over them, what may be skipped."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from judgement.rules import Rules
from ledger.keys import VerifyKey
from policies.limits import Spent
from runtime.beside import beside_the_loop
from runtime.errors import Malformed, Newer, PraetorError
from schemas.topics import CONTROL
from streams.bundle_state import InForce, Refused
from streams.bundles import BundleFold
from streams.canary import Canary
from streams.orders import Order, open_order
from streams.spent_orders import KIND as SPENT_KIND
from streams.spent_orders import read_spent
from streams.standing import StandingOrders
from streams.standing_orders import KINDS as STANDING_KINDS

log = structlog.get_logger()

REMEMBERED = 16


@dataclass
class ControlView:
    """The fold of agent.control up to and with `offset`. Unbelievable records are counted in `rejected`.

    What judging is done by (`rules`, `canary`, `offset`) changes at once, in `settle`: a pipeline that looks
    between two batches sees one moment of the topic. `read_to` is what was folded, `offset` or beyond.

    A believed order that this version does not understand is never passed over. `newer` says so of an order
    of an unknown kind: whoever judges must stop. Of a bundle, `unread` says so, and there are no rules until
    a bundle follows that can be read. Bundles must be signed by a key of `policy`; None: by one of `keys`.

    `spent` is what several agents spent together. `orders` are the kills, quarantines and grants; `rules` and
    `canary` are under those that stand. `refused` are the last records that were not believed: their offsets,
    and why.
    """

    keys: Sequence[VerifyKey]
    policy: Sequence[VerifyKey] | None = None
    offset: int = -1
    read_to: int = -1
    log_id: str = ""
    partitions: int = 0
    rules: Rules | None = None
    canary: Canary | None = None
    skips: dict[int, dict[int, int]] = field(default_factory=dict)
    orders: StandingOrders = field(default_factory=StandingOrders)
    spent: Spent = field(default_factory=dict)
    rejected: int = 0
    refused: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    newer: str = ""
    unread: str = ""
    bundles: BundleFold = field(init=False)
    _given: dict[bytes, int] = field(default_factory=dict)
    _now: InForce = field(default_factory=InForce)

    def __post_init__(self) -> None:
        trusted = self.keys if self.policy is None else self.policy
        self.bundles = BundleFold(trusted, takes_unsigned=any(key in trusted for key in self.keys))

    def offset_of(self, order: Order) -> int | None:
        """Where this very order was given, whatever became of it; None where it was not."""
        return self._given.get(order.digest())

    def rules_for(self, agent: bytes) -> Rules | None:
        """The rules that an agent, named by its key, is judged by; None: it is not judged."""
        canary = self.canary
        return canary.rules if canary is not None and canary.takes(agent) else self.rules

    async def apply(self, offset: int, value: bytes | None) -> str:
        """Fold one record and settle; return why it is not believed, or nothing where it is.

        A record that is not believed changes nothing but the offset and the count.
        """
        why = await self.fold(offset, value)
        return (await self.settle()).get(offset, why)

    async def fold(self, offset: int, value: bytes | None) -> str:
        """Fold one record, which counts from the next `settle` on; return as `apply`."""
        self.read_to = offset
        try:
            order = open_order(value, self.keys)
            await self._fold(order, offset)
            self._given[order.digest()] = offset
        except Newer as error:
            log.error("control record not understood", offset=offset, reason=str(error))
            return self._refuse(offset, str(error))
        except Refused as error:
            log.error("bundle refused", offset=offset, why=error.why, reason=str(error))
            return self._refuse(offset, str(error))
        except (Malformed, PraetorError, KeyError, TypeError, ValueError) as error:
            log.warning("control record ignored", offset=offset, reason=str(error))
            return self._refuse(offset, str(error) or type(error).__name__)
        return ""

    def _refuse(self, offset: int, why: str) -> str:
        self.rejected += 1
        self.refused.append((offset, why))
        return why

    async def settle(self) -> dict[int, str]:
        """Let what was folded count; return by offset the bundles that are refused only now, and why.

        Compiling takes seconds, in a thread: the pipelines go on with the rules that they have.
        """
        refused: dict[int, str] = {}
        if self.bundles.pending:
            with beside_the_loop():
                refused = {r.offset: r.message for r in await asyncio.to_thread(self.bundles.settle)}
            for offset, reason in refused.items():
                log.error("bundle refused", offset=offset, why="rules", reason=reason)
        now = self.bundles.in_force
        if now.unread and now.unread != self.unread:
            refused[max(p.offset for p in (now.stable, now.canary) if p is not None)] = now.unread
            log.error("bundle not understood", reason=now.unread)
        for offset, reason in refused.items():
            self._refuse(offset, reason)
        self._put_in_force(now)
        return refused

    def _put_in_force(self, now: InForce) -> None:
        before, self._now, standing = self._now, now, self.orders.standing
        spent = self.spent
        is_as_before = self.rules is None or (self.rules.standing is standing and self.rules.spent is spent)
        if now is not before or not is_as_before:
            trial = now.trial()
            self.rules = now.rules and replace(now.rules, standing=standing, spent=spent)
            self.canary = trial and trial.under(replace(trial.rules, standing=standing, spent=spent))
        self.unread, self.offset = now.unread, self.read_to
        if now is before:
            return
        if now.stable is not None and self.rules is not None:
            log.info("bundle in force", digest=self.rules.digest, author=now.stable.author)
        if now.canary is not None and self.canary is not None:
            log.info("canary in force", digest=self.canary.rules.digest, share=self.canary.share)

    async def _fold(self, order: Order, offset: int) -> None:
        # else whoever may write to the topic could put an old bundle in force again
        if order.digest() in self._given:
            raise Malformed(f"a copy of the order at offset {self._given[order.digest()]}")
        if order.kind == "log":
            self._apply_log(order)
            return
        if order.log_id != self.log_id:
            raise Malformed(f"an order for log {order.log_id[:64]!r}; this is log {self.log_id!r}")
        if order.kind == "bundle_part":
            self.bundles.part(order)
        elif order.kind == "bundle":
            # in a thread: a large one takes some time to unpack
            with beside_the_loop():
                await asyncio.to_thread(self.bundles.head, order, offset)
        elif order.kind == "skip":
            self._apply_skip(order)
        elif order.kind == SPENT_KIND:
            self._apply_spent(order, offset)
        elif order.kind in STANDING_KINDS:
            self._apply_standing(order, offset)
        else:
            self.newer = (
                f"{CONTROL.name} offset {offset} holds an order of kind {order.kind[:64]!r}, signed by"
                f" {order.author[:64]!r}, which this version of praetor does not know: run a newer one"
            )
            raise Newer(self.newer)

    def _apply_standing(self, order: Order, offset: int) -> None:
        try:
            self.orders.apply(order, offset)
        except Newer as error:
            self.newer = f"{CONTROL.name} offset {offset} holds {error}: run a newer one"
            raise Newer(self.newer) from error
        log.info("order applied", kind=order.kind, author=order.author, offset=offset)

    def _apply_spent(self, order: Order, offset: int) -> None:
        try:
            name, entries = read_spent(order)
        except Newer as error:
            self.newer = f"{CONTROL.name} offset {offset} holds {error}: run a newer one"
            raise Newer(self.newer) from error
        self.spent = {**self.spent, name: entries}

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
