"""The fold of kill, quarantine, grant and release orders: what stands. No IO.

Orders that are over are kept until they are released: each partition has a clock of its own (`received_at`),
and one that lags still judges what came before an order ended.
"""

from judgement.standing import NOTHING, Placed, Standing
from judgement.standing_order import Key, OrderKind, StandingOrder, Target, TargetKind
from runtime.errors import Malformed
from streams.orders import Order
from streams.standing_orders import Given, read_release, read_standing, target_of

MOST_GRANTS = 100
"""Grants that may stand at one target: they are looked at one by one."""


class StandingOrders:
    """What stands after the orders that were applied, in the order of their offsets."""

    def __init__(self) -> None:
        self._given: dict[str, Given] = {}
        self._at: dict[Target, dict[str, StandingOrder]] = {}
        self._placed: dict[TargetKind, dict[Key, Placed]] = {}
        self._standing: Standing | None = NOTHING

    def apply(self, order: Order, offset: int) -> None:
        """Apply one believed order.

        Raises:
            Malformed: it makes no sense, or releases what does not stand; nothing has changed.
            Newer: it has a version that this one does not know; nothing has changed.
        """
        if order.kind == "release":
            self._release(order)
        else:
            self._give(read_standing(order, offset))
        self._standing = None

    def check(self, order: Order, offset: int) -> None:
        """Whether an order makes sense now; nothing is applied.

        Raises:
            Malformed: it would be refused.
        """
        if order.kind != "release":
            read_standing(order, offset)

    @property
    def standing(self) -> Standing:
        """All that stands, to judge by: the same object until an order changes it."""
        if self._standing is None:
            copied = {kind: dict(placed) for kind, placed in self._placed.items()}
            self._standing = Standing(copied) if self._given else NOTHING
        return self._standing

    def given(self) -> list[Given]:
        """What was given and not released, in the order in which it was given; what is over, too."""
        return list(self._given.values())

    def _give(self, given: Given) -> None:
        order = given.order
        placed = self._placed.get(order.target.kind, {}).get(order.target.key, Placed())
        if order.kind == "grant" and len(placed.grants) >= MOST_GRANTS:
            raise Malformed(
                f"{MOST_GRANTS} grants stand at this target, also such as are over: release them first"
                " (`praetor control release --kind grant` with the target)"
            )
        self._given[order.id] = given
        self._at.setdefault(order.target, {})[order.id] = order
        self._placed.setdefault(order.target.kind, {})[order.target.key] = placed.with_(order)

    def _release(self, order: Order) -> None:
        said = read_release(order)
        if said.order is not None:
            if said.order not in self._given:
                raise Malformed(f"a release of {said.order}, which is no order that stands")
            released = [self._given[said.order].order]
        elif said.target is not None and said.kind is not None:
            released = self._standing_at(target_of(said.target), said.kind)
            if not released:
                raise Malformed(f"a release of every {said.kind} at a {said.target.kind} where none stands")
        for one in released:
            del self._given[one.id]
            del self._at[one.target][one.id]
        self._place(released[0].target)

    def _standing_at(self, target: Target, kind: OrderKind) -> list[StandingOrder]:
        return [order for order in self._at.get(target, {}).values() if order.kind == kind]

    def _place(self, target: Target) -> None:
        left = self._at[target]
        placed = Placed()
        for order in left.values():
            placed = placed.with_(order)
        if left:
            self._placed[target.kind][target.key] = placed
        else:
            del self._at[target], self._placed[target.kind][target.key]
