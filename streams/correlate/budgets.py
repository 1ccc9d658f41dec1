"""Limits that span agents: what all spent together, told to the workers when a threshold is crossed. Pure.

A budget's state is JSON: `slots` [slot, amount] in order, `most`, `level` in hundredths of the limit, `plan`
(what is to be told; None: nothing), `at`. It is told at a half, three quarters, nine tenths and all of the
limit, and anew when it crosses one of these again. Amounts are absolute: told twice, they count once. What is
spent between crossing and a worker's hearing of it goes beyond the limit.
"""

from typing import Any

from streams.orders import Order
from streams.standing_orders import payload

LEVELS = (50, 75, 90, 100)
STALE_MS = 32 * 86_400_000
"""After which a budget that nobody uses is forgotten: longer than the longest window."""
KIND = "spent"

State = dict[str, Any]


def spend(state: State | None, item: dict[str, Any], clock: int) -> State:
    """Count usage; a plan is made where a threshold is crossed."""
    before = state or {"slots": [], "level": 0, "plan": None}
    slots = {int(slot): int(amount) for slot, amount in before["slots"]}
    slots[item["slot"]] = slots.get(item["slot"], 0) + item["amount"]
    newest, live = max(slots), max(item["live"], 1)
    left = [[slot, amount] for slot, amount in sorted(slots.items()) if slot > newest - live]
    total = sum(amount for _, amount in left)
    level = max((mark for mark in LEVELS if total * 100 >= mark * item["most"]), default=0)
    plan = before["plan"]
    if level > before["level"]:
        plan = {"at": clock, "limit": item["detector"], "key": item["title"], "entries": left}
    return {"slots": left, "most": item["most"], "level": level, "plan": plan, "at": clock}


def told(state: State) -> State:
    """The same, once its plan's order is given."""
    return {**state, "plan": None}


def is_stale(state: State, clock: int) -> bool:
    """Whether nobody used it for longer than any window."""
    return bool(clock - state["at"] > STALE_MS)


def order_of(state: State, log_id: str, author: str) -> Order:
    """The order of a plan: the same each time."""
    plan = state["plan"]
    said = {name: plan[name] for name in ("limit", "key", "entries")}
    return Order(log_id, KIND, author, plan["at"], payload(**said))
