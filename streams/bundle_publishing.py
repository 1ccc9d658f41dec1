"""Puts bundles in force: reads what agent.control says, writes the parts and the head, sees them believed."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ledger.keys import SigningKey, VerifyKey
from runtime.errors import Malformed, PraetorError
from runtime.kafka import Options
from streams.bundle_orders import LARGEST_PACKED, Head, head_payload, part_payloads, read_head
from streams.bundle_parts import inflate
from streams.bundles import BundleFold
from streams.control import ControlFollower
from streams.control_view import ControlView
from streams.orders import Order
from streams.topics import publish_orders


@dataclass(frozen=True)
class Access:
    """What publishing needs: the broker, whose orders and whose bundles are believed, the key for orders."""

    options: Options
    control: Sequence[VerifyKey]
    policy: Sequence[VerifyKey]
    key: SigningKey


@dataclass(frozen=True)
class Published:
    """A head that stands on agent.control and is believed."""

    head: Head
    offset: int


class Publisher:
    """What agent.control says of bundles, and a way to say more. See `publishing`."""

    def __init__(self, access: Access, follower: ControlFollower) -> None:
        self._access = access
        self._follower = follower

    @property
    def view(self) -> ControlView:
        """The view, as of the last thing read or written."""
        return self._follower.view

    @property
    def bundles(self) -> BundleFold:
        """Its part about bundles."""
        return self._follower.view.bundles

    async def put(self, head: Head, packed: bytes = b"") -> Published:
        """Give the order that `head` describes; its serial, parts and size are filled in.

        `packed` is the bundle, where the topic may not have it.

        Raises:
            PraetorError: it is too large, may not be written, or is refused, as when another came first.
        """
        if len(packed) > LARGEST_PACKED:
            raise PraetorError(f"the bundle has {len(packed)} bytes packed; at most {LARGEST_PACKED} go")
        parts = list(part_payloads(head.digest, packed))
        full = Head(
            self.bundles.serial + 1,
            head.digest,
            slot=head.slot,
            share=head.share,
            parts=len(parts),
            size=len(packed),
            signature=head.signature,
            reason=head.reason,
        )
        orders = [self._order("bundle_part", part) for part in parts]
        orders.append(self._order("bundle", _payload(full)))
        offset = await publish_orders(self._access.options, orders, self._access.key)
        await self._follower.include(offset)
        for refused in self.bundles.refused:
            if refused.offset == offset:
                raise PraetorError(f"refused: {refused.message}; what was in force still is. Try again")
        return Published(full, offset)

    def _order(self, kind: str, payload: bytes) -> Order:
        key = self._access.key
        return Order(self.view.log_id, kind, key.name, int(time.time() * 1000), payload)


def _payload(head: Head) -> bytes:
    try:
        payload = head_payload(head)
        _, text = inflate(payload)
        if read_head(text) is None:
            raise PraetorError("the reason is too long; nothing was published")
    except (Malformed, ValueError) as error:
        raise PraetorError(f"{error}; nothing was published") from error
    return payload


@asynccontextmanager
async def publishing(access: Access, settle: bool = False) -> AsyncIterator[Publisher]:
    """A publisher that has read agent.control; with `settle` it also knows what is in force, which compiles.

    Raises:
        PraetorError: the topic is missing, or holds no log that the keys believe.
    """
    follower = ControlFollower(access.options, access.control, access.policy)
    try:
        await follower.start(settle)
        yield Publisher(access, follower)
    finally:
        await follower.stop()
