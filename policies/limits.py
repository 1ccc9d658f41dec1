"""Limits: how much an agent may do in a time, counted in cells of that agent.

One partition owns an agent, so a count is exact whatever worker does the counting. Times are `received_at`.

- A sliding window is held in slots of a sixtieth of it. What a slot holds counts until the whole slot has
  left the window, so that no window of that length ever holds more than the limit; something may count up to
  a sixtieth of the window longer than it had to.
- A calendar window begins anew at its hour, day, week (Monday) or month, UTC.
- Cost is counted in millionths of a dollar, rounded up; negative amounts count as 0.

A limit per tenant or label spans agents, which live in several partitions: each counts what its own agent
does at once, and what all did together as far as `agent.control` has told it (correlate does). So it lags.

A cell: version byte, then (slot or period as int64, amount as int64) for each that counts, oldest first.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import NamedTuple

from policies.errors import Unjudgeable
from policies.rule import Rule, seconds
from schemas.action import Action

SLOTS = 60
MOST_KEYS = 64
"""Sessions or tools of one agent with a count of their own under one limit; those beyond share one."""
MICRO = 1_000_000

_ENTRY = struct.Struct("<qq")
_VERSION = b"\x01"
_FIELDS = {"tokens": ("input_tokens", "output_tokens"), "bytes": ("size_bytes",)}
_LARGEST = 2**62


Entries = Sequence[tuple[int, int]]
"""Amounts by slot or period, oldest first."""
Spent = Mapping[tuple[str, str], Entries]
"""What several agents spent together, by limit (`policy/rule`) and key (the tenant, or tenant/label's value),
up to and with the last slot or period named."""
NOT_TOLD: Spent = MappingProxyType({})


class CompiledLimit(NamedTuple):
    """A limit ready to count.

    Attributes:
        name: the rule's whole name, under which what remains is told.
        cell: what its cells' names begin with.
        amount: what is counted: calls, tokens, cost_usd or bytes.
        most: how much of it, in the unit that is counted (cost in millionths).
        slot_ms: a slot's length; 0 for a calendar window.
        calendar: the period's name; "" for a sliding window.
        per: what has a count of its own: "" (the agent), session, tool, tenant or label:<name>.
    """

    name: str
    cell: str
    amount: str
    most: int
    slot_ms: int
    calendar: str
    per: str


class Usage(NamedTuple):
    """What an action counts of a limit that spans agents.

    Attributes:
        limit: the limit, `policy/rule`.
        key: what it counts by: the tenant, or tenant/label's value.
        slot: the slot or period that it counts in.
        amount: how much.
        most: how much the limit allows.
        live: how many slots count at once.
    """

    limit: str
    key: str
    slot: int
    amount: int
    most: int
    live: int


class Charge(NamedTuple):
    """What counting this action would do, if it is allowed."""

    limit: CompiledLimit
    cell: str
    after: bytes
    used: int
    amount: int

    def remaining(self, charged: bool) -> float:
        """What is left of the limit, never below 0, in the unit that the policy is written in."""
        left = max(self.limit.most - self.used - (self.amount if charged else 0), 0)
        return left / MICRO if self.limit.amount == "cost_usd" else float(left)


def compile_limit(policy: str, rule: Rule) -> CompiledLimit | None:
    """Make a rule's limit ready. Another window, amount or name counts anew, another number does not."""
    limit = rule.limit
    if limit is None:
        return None
    amount, most = limit.amount()
    slot_ms = 0 if limit.window is None else -(-seconds(limit.window) * 1000 // SLOTS)
    per = "" if limit.per == "agent" else limit.per
    told = f"{policy}/{rule.id}/{amount}/{limit.window or limit.calendar}/{per}"
    cell = f"limit:{sha256(told.encode()).hexdigest()[:16]}"
    whole = math.floor(most * MICRO) if amount == "cost_usd" else math.floor(most)
    return CompiledLimit(f"{policy}/{rule.id}", cell, amount, whole, slot_ms, limit.calendar or "", per)


def charge(
    limit: CompiledLimit, action: Action, cells: Mapping[str, bytes], spent: Spent = NOT_TOLD
) -> Charge:
    """What this action would count, and what counts already.

    Raises:
        Unjudgeable: the amount is no number, or the cell is none of ours.
    """
    key = _key(limit, action)
    cell = _cell_of(limit, key, action, cells)
    now = _place(limit, action.received_at)
    before = cells.get(cell) or b""
    held = _live(limit, before, action.received_at, now)
    amount = _amount(limit, action)
    used = _used(limit, held, spent.get((limit.name, key), ()), action.received_at, now)
    if held and held[-1][0] == now:
        grown = [*held[:-1], (now, min(held[-1][1] + amount, _LARGEST))]
    else:
        grown = [*held, (now, amount)]
    after = _VERSION + b"".join(_ENTRY.pack(*entry) for entry in grown)
    return Charge(limit, cell, after, used, amount)


def spans_agents(limit: CompiledLimit) -> bool:
    """Whether a limit counts what several agents do together."""
    return limit.per == "tenant" or limit.per.startswith("label:")


def usage(action: Action, charges: Sequence[Charge]) -> tuple[Usage, ...]:
    """What an action that counts uses of limits that span agents."""
    return tuple(
        Usage(
            c.limit.name,
            _key(c.limit, action),
            _place(c.limit, action.received_at),
            c.amount,
            c.limit.most,
            SLOTS + 1 if c.limit.slot_ms else 1,
        )
        for c in charges
        if spans_agents(c.limit)
    )


def is_over(found: Charge) -> bool:
    """Whether the limit is used up, or this action would go beyond it."""
    return found.used >= found.limit.most or found.used + found.amount > found.limit.most


def expired(limit: CompiledLimit, cells: Mapping[str, bytes], received_at: int) -> list[str]:
    """The cells of this limit in which nothing counts any more. Those that are none of ours stay."""
    now = _place(limit, received_at)
    found = []
    for name, cell in cells.items():
        if cell and name.startswith(limit.cell):
            try:
                if not _live(limit, cell, received_at, now):
                    found.append(name)
            except Unjudgeable:
                continue
    return found


def _key(limit: CompiledLimit, action: Action) -> str:
    if limit.per == "session":
        return action.session_id or ""
    if limit.per == "tool":
        return action.tool or ""
    if limit.per.startswith("label:"):
        value = action.get("labels").get(limit.per.removeprefix("label:"), "")
        return f"{action.tenant}/{value}"
    return action.tenant if limit.per else ""


def _used(limit: CompiledLimit, own: Entries, told: Entries, at: int, now: int) -> int:
    """What counts: what was told of all, and of this agent what came after that."""
    if not told:
        return sum(value for _, value in own)
    last = told[-1][0]
    together = sum(value for _, value in _counting(limit, told, at, now))
    return together + sum(value for place, value in own if place > last)


def _cell_of(limit: CompiledLimit, key: str, action: Action, cells: Mapping[str, bytes]) -> str:
    if not limit.per:
        return limit.cell
    cell = f"{limit.cell}:{sha256(key.encode()).hexdigest()[:16]}"
    if cells.get(cell):
        return cell
    held = sum(1 for name, count in cells.items() if count and name.startswith(limit.cell))
    if held >= MOST_KEYS:
        held -= len(expired(limit, cells, action.received_at))
    return cell if held < MOST_KEYS else f"{limit.cell}:others"


def _place(limit: CompiledLimit, at: int) -> int:
    """The number of the slot or period that a time lies in."""
    if limit.slot_ms:
        return at // limit.slot_ms
    days = at // 86_400_000
    if limit.calendar == "hour":
        return at // 3_600_000
    if limit.calendar == "day":
        return days
    if limit.calendar == "week":
        return (days + 3) // 7  # day 0 was a Thursday
    date = datetime.fromtimestamp(at / 1000, UTC)
    return date.year * 12 + date.month


def _live(limit: CompiledLimit, cell: bytes, at: int, now: int) -> list[tuple[int, int]]:
    if not cell:
        return []
    if cell[:1] != _VERSION or (len(cell) - 1) % _ENTRY.size:
        raise Unjudgeable(f"the count of {limit.name} is no cell of a limit")
    return _counting(limit, list(_ENTRY.iter_unpack(cell[1:])), at, now)


def _counting(limit: CompiledLimit, entries: Entries, at: int, now: int) -> list[tuple[int, int]]:
    if not limit.slot_ms:
        return [entry for entry in entries if entry[0] == now]
    # a slot counts until its last millisecond is a whole window old
    return [entry for entry in entries if (entry[0] + SLOTS + 1) * limit.slot_ms > at]


def _amount(limit: CompiledLimit, action: Action) -> int:
    if limit.amount == "calls":
        return 1
    if limit.amount == "cost_usd":
        cost = action.get("cost_usd")
        if not math.isfinite(cost):
            raise Unjudgeable(f"cost_usd is {cost!r}, which cannot be counted")
        return int(min(max(math.ceil(cost * MICRO), 0), _LARGEST))
    return min(sum(max(int(action.get(name)), 0) for name in _FIELDS[limit.amount]), _LARGEST)
