"""Options of orders: whom they are about, how long they stand, how they are given."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from judgement.standing_order import Target
from runtime.errors import PraetorError
from streams.standing_payloads import LAST_MOMENT

Fleet = Annotated[bool, typer.Option("--fleet", help="Every agent of every tenant.")]
Tenant = Annotated[str, typer.Option(help="A tenant, or the tenant of the agent or tool; its exact name.")]
Agent = Annotated[str, typer.Option(help="An agent of the tenant; its exact id.")]
Session = Annotated[str, typer.Option(help="A session of the agent; its exact id.")]
Tool = Annotated[str, typer.Option(help="A tool; its exact name. Of any tenant, unless one is named.")]
ToolServer = Annotated[str, typer.Option(help="Only this server's tool; its exact name.")]
Reason = Annotated[str, typer.Option(help="Why; it stands in each verdict that the order makes.")]
For = Annotated[str, typer.Option("--for", help="How long: 90s, 15m, 2h or 7d.")]
Until = Annotated[str, typer.Option(help="Until when: 2026-11-21T18:00Z. Judged by the broker's clock.")]
DryRun = Annotated[bool, typer.Option(help="Give no order; say who would be hit.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before everyone is stopped.")]
Wait = Annotated[bool, typer.Option(help="Wait until every live worker has applied the order.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds that --wait waits.")]

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True)
class How:
    """How an order is given: only tried, waited for, told as JSON."""

    dry_run: bool
    wait: bool
    timeout: float
    as_json: bool


def read_target(fleet: bool, tenant: str, agent: str, session: str, tool: str, tool_server: str) -> Target:
    """The target that options name.

    Raises:
        PraetorError: none, several, or half of one; the message says what is missing.
    """
    named = Target(*(name or None for name in (tenant, agent, session, tool, tool_server)))
    if fleet:
        if named != Target():
            raise PraetorError("--fleet is everyone: it goes with no --tenant, --agent, --session or --tool")
        return named
    if named == Target():
        raise PraetorError("whom? Name --tenant, --agent, --session or --tool; everyone is --fleet")
    if session and not agent:
        raise PraetorError("a --session is one of an agent: name --tenant and --agent too")
    if agent and not tenant:
        raise PraetorError("an --agent is one of a tenant: name --tenant too")
    if tool and agent:
        raise PraetorError("an order is about an agent or a tool: --tool goes with --tenant alone")
    if tool_server and not tool:
        raise PraetorError("a --tool-server goes with a --tool of it")
    return named


def read_expiry(span: str, until: str) -> int | None:
    """When an order is over, in milliseconds since 1970; None where it stands until it is released.

    Raises:
        PraetorError: both are given, or one is no span or no time, or is past.
    """
    now = int(time.time() * 1000)
    if span and until:
        raise PraetorError("--for and --until both say when it is over: name one")
    if span:
        found = re.fullmatch(r"(\d{1,9})([smhd])", span)
        if found is None:
            raise PraetorError(f"--for {span!r} is no span such as 90s, 15m, 2h or 7d")
        end = now + int(found[1]) * UNITS_MS[found[2]]
    elif until:
        end = _read_time(until)
    else:
        return None
    if not now < end <= LAST_MOMENT:
        raise PraetorError(f"it would be over at once, or never: {span or until}")
    return end


def _read_time(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise PraetorError(f"--until {text!r} is no time such as 2026-11-21T18:00Z") from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
