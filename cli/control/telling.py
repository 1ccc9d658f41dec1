"""Orders, targets and moments in words; tables wide enough to be read."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from judgement.standing_order import Target
from streams.standing_orders import Given, target_payload

NARROW, WIDE = 120, 200


def draw(headings: Sequence[str], rows: Iterable[Sequence[str]], wrapped: str = "") -> None:
    """Draw a table whose columns are not broken, but for one; where nobody looks it is wide."""
    table = Table()
    for heading in headings:
        table.add_column(heading, no_wrap=heading != wrapped, overflow="fold")
    for row in rows:
        table.add_row(*(Text(word) for word in row))
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    Console(width=max(NARROW, columns)).print(table)


def whom(target: Target) -> str:
    """A target in words."""
    if target.kind == "fleet":
        return "the whole fleet"
    if target.kind == "tool":
        server = f" of {target.tool_server}" if target.tool_server is not None else ""
        return f"tool {target.tool}{server}" + (f" in {target.tenant}" if target.tenant is not None else "")
    return f"{target.kind} " + "/".join(name for name in target[:3] if name is not None)


def moment(ms: int) -> str:
    """A moment, to the second, UTC."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"


def until(expires_at: int | None) -> str:
    """When an order is over."""
    return "until released" if expires_at is None else f"until {moment(expires_at)}"


def span(ms: float) -> str:
    """A span of time, short."""
    seconds = max(0.0, ms / 1000)
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 36_000 else f"{seconds / 3600:.0f} h"


def known(given: Given) -> dict[str, Any]:
    """An order, for --json."""
    order = given.order
    what: dict[str, Any] = {
        "order": order.id,
        "kind": order.kind,
        "target": target_payload(order.target),
        "reason": given.reason,
        "author": given.author,
        "issued_at": given.issued_at,
        "expires_at": order.expires_at,
        "control_offset": order.offset,
    }
    if order.kind == "grant":
        what["actions"] = list(given.actions)
        what["resources"] = list(given.resources)
        what["through_quarantine"] = order.through_quarantine
    return what
