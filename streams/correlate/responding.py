"""Gives the orders of planned responses on agent.control, within the guard rails, and none of them twice."""

import asyncio
from typing import Any

import structlog

from judgement.standing_order import Target
from ledger.keys import SigningKey, VerifyKey
from policies.rule import seconds
from runtime import metrics
from runtime.errors import Malformed
from runtime.kafka import Ends, Options
from streams.control import PARTITION, ControlFollower
from streams.correlate.incidents import Incident
from streams.correlate.responses import REASON, ResponsePolicy, order_of
from streams.orders import Order
from streams.topics import publish_order

log = structlog.get_logger()


class Responder:
    """One a worker; answers one incident at a time."""

    def __init__(
        self,
        options: Options,
        ends: Ends,
        keys: list[VerifyKey],
        policy: ResponsePolicy | None,
        key: SigningKey,
    ) -> None:
        self.policy = policy
        self.author = key.name
        self._options = options
        self._ends = ends
        self._key = key
        self._follower = ControlFollower(options, keys)
        self._started = False
        self._one = asyncio.Lock()

    async def stop(self) -> None:
        """Let go of the broker."""
        await self._follower.stop()

    async def answer(self, incident: Incident) -> list[dict[str, Any]]:
        """Give the orders of an incident's pending responses; the responses as they stand then.

        An order that stands already is not given again; nor is one of a response that may have been given
        and taken back since, which workers would ignore as a copy.

        Raises:
            KafkaError, Unavailable: not now; nothing is lost by asking again.
        """
        async with self._one:
            return [await self._give(incident, r) if r["pending"] else r for r in incident["responses"]]

    async def tell(self, order: Order) -> None:
        """Give an order unless it stands already.

        Raises:
            KafkaError, Unavailable: not now; nothing is lost by asking again.
        """
        async with self._one:
            await self._read()
            if self._follower.view.offset_of(order) is None:
                await publish_order(self._options, order, self._key)
                metrics.BUDGETS_TOLD.inc()

    async def _give(self, incident: Incident, response: dict[str, Any]) -> dict[str, Any]:
        await self._read()
        view = self._follower.view
        order = order_of(incident, response, self._key.name)
        offset = view.offset_of(order)
        if offset is None:
            why = self._against(response)
            if not why:
                try:
                    view.orders.check(order, view.read_to + 1)
                except Malformed as error:
                    why = str(error)
            if why:
                log.warning("a response is left out", incident=incident["incident_id"], reason=why)
                metrics.RESPONSES.labels(response["kind"], "left out").inc()
                return {**response, "pending": False, "reason": f"{response['reason']}: not given: {why}"}
            offset = await publish_order(self._options, order, self._key)
            metrics.RESPONSES.labels(response["kind"], "given").inc()
            log.info("response given", incident=incident["incident_id"], target=response["target"])
        return {**response, "pending": False, "control_offset": offset}

    async def _read(self) -> None:
        """Bring the view of agent.control to its end: what others gave counts for the guard rails."""
        if not self._started:
            await self._follower.start(settle=False)
            self._started = True
        await self._follower.include(await self._ends.high_watermark(PARTITION) - 1)

    def _against(self, response: dict[str, Any]) -> str:
        """What speaks against a response: an exemption, or too many already; "" where nothing does."""
        tenant, agent = response["names"][:2]
        if self.policy is None:
            return "there is no response policy any more"
        if self.policy.spares(tenant, agent):
            return f"{tenant}/{agent} is exempt"
        guard = self.policy.guard
        since = response["at"] - seconds(guard.within) * 1000
        hit: set[Target] = set()
        for given in self._follower.view.orders.given():
            if given.reason.startswith(REASON) and given.issued_at > since:
                hit.add(given.order.target._replace(session=None))
        if Target(tenant, agent) not in hit and len(hit) >= guard.agents:
            return (
                f"{len(hit)} agents were answered within {guard.within}, and the guard allows {guard.agents}"
            )
        return ""
