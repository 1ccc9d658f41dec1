"""agent.control as a backtest needs it: every bundle that was ever in force, the orders that stood when."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from judgement.standing import NOTHING, Standing
from ledger.keys import VerifyKey
from runtime.errors import PraetorError
from runtime.kafka import Ends, Options, common_options, read_partition
from runtime.settings import Settings
from schemas.topics import CONTROL
from streams.control_view import ControlView
from streams.keyring import CONTROL as CONTROL_KEYS
from streams.keyring import read_policy_keys, read_verify_keys
from streams.orders import Order, open_order
from streams.standing import StandingOrders


@dataclass(frozen=True)
class ControlLog:
    """What was read.

    Attributes:
        log_id: of the log.
        bundles: packed, by digest.
        orders: the believed kills, quarantines, grants and releases with their offsets, in order.
        active: the digest of the bundle that is in force for all; empty where there is none.
        unread: why that bundle cannot be read, where it cannot.
    """

    log_id: str = ""
    bundles: dict[str, bytes] = field(default_factory=dict, repr=False)
    orders: tuple[tuple[int, Order], ...] = ()
    active: str = ""
    unread: str = ""

    def named(self, digest: str) -> str:
        """The whole digest of one that is given by how it begins.

        Raises:
            PraetorError: none begins so, or several do.
        """
        wanted = digest.removeprefix("sha256:")
        found = [known for known in self.bundles if known.removeprefix("sha256:").startswith(wanted)]
        if len(found) != 1:
            there = "\n".join(self.bundles) or "none"
            raise PraetorError(
                f"{digest} names {len(found)} of the bundles on {CONTROL.name} that the keys here believe;"
                f" they are\n{there}"
            )
        return found[0]


class Stood:
    """Which orders stood at a control offset."""

    def __init__(self, orders: Sequence[tuple[int, Order]]) -> None:
        """Take the believed orders with their offsets."""
        self._orders = orders
        self._offsets = [offset for offset, _ in orders]
        self._known: dict[int, Standing] = {0: NOTHING}

    def at(self, offset: int) -> Standing:
        """All that stood once the record at this offset had been applied: one object for one set."""
        count = bisect_right(self._offsets, offset)
        if count not in self._known:
            fold = StandingOrders()
            for place, order in self._orders[:count]:
                fold.apply(order, place)
            self._known[count] = fold.standing
        return self._known[count]


def read_control(settings: Settings) -> ControlLog:
    """Read agent.control once, from its beginning to its end.

    Raises:
        PraetorError: no keys, no broker named, or an order of a kind that this version does not know.
        Unavailable: no broker answers.
    """
    keys, policy = read_verify_keys(settings.keys, CONTROL_KEYS), read_policy_keys(settings.keys)
    return asyncio.run(_read(common_options(settings), keys, policy))


async def _read(options: Options, keys: Sequence[VerifyKey], policy: Sequence[VerifyKey]) -> ControlLog:
    view = ControlView(keys, policy)
    bundles: dict[str, bytes] = {}
    orders: list[tuple[int, Order]] = []
    for offset, value in await _records(options):
        before = view.orders.standing
        await view.fold(offset, value)
        if view.newer:
            raise PraetorError(view.newer)
        if view.orders.standing is not before:
            orders.append((offset, open_order(value, keys)))
        for digest, placed in view.bundles.kept.items():
            bundles.setdefault(digest, placed.packed)
    await view.settle()
    now = view.bundles.in_force
    active = now.stable.head.digest if now.stable is not None else ""
    return ControlLog(view.log_id, bundles, tuple(orders), active, now.unread)


async def _records(options: Options) -> list[tuple[int, bytes | None]]:
    tp = TopicPartition(CONTROL.name, 0)
    ends = Ends(options)
    await ends.start()
    try:
        # as appended, like govern (docs/adr/0004)
        bounds = await ends.beginning(tp), await ends.high_watermark(tp)
    finally:
        await ends.stop()
    found: list[tuple[int, bytes | None]] = []
    async for records in read_partition(options, tp, *bounds, "read_uncommitted"):
        found += [(record.offset, record.value) for record in records]
    return found
