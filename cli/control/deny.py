"""`praetor control kill` and `quarantine`: deny what somebody does."""

import sys

import typer

from cli.control.giving import give
from cli.control.options import (
    Agent,
    DryRun,
    Fleet,
    For,
    How,
    Reason,
    Session,
    Tenant,
    Timeout,
    Tool,
    ToolServer,
    Until,
    Wait,
    Yes,
    read_expiry,
    read_target,
)
from cli.options import DataDir, JsonOutput, TopicPrefix
from judgement.standing_order import Target
from runtime.errors import PraetorError
from runtime.settings import load_settings


def kill(
    reason: Reason,
    fleet: Fleet = False,
    tenant: Tenant = "",
    agent: Agent = "",
    session: Session = "",
    tool: Tool = "",
    tool_server: ToolServer = "",
    span: For = "",
    until: Until = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    wait: Wait = True,
    timeout: Timeout = 30,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
    as_json: JsonOutput = False,
) -> None:
    """Deny all that somebody does, from now on; nothing overrides it. Names are exact.

    It stands until it is released, or over. It takes effect between two batches, on every worker.

    Example: praetor control kill --tenant acme --agent coder-1 --reason "leaks keys" --for 2h

    Example: praetor control kill --tool shell --tool-server build --reason "CVE-2026-1234" --dry-run

    Example: praetor control kill --fleet --reason "incident 42" --yes
    """
    target = read_target(fleet, tenant, agent, session, tool, tool_server)
    expiry = read_expiry(span, until)
    if not dry_run:
        _confirm("kill", target, yes)
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    give(settings, "kill", target, _said(reason, expiry), How(dry_run, wait, timeout, as_json))


def quarantine(
    reason: Reason,
    fleet: Fleet = False,
    tenant: Tenant = "",
    agent: Agent = "",
    session: Session = "",
    tool: Tool = "",
    tool_server: ToolServer = "",
    span: For = "",
    until: Until = "",
    yes: Yes = False,
    dry_run: DryRun = False,
    wait: Wait = True,
    timeout: Timeout = 30,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
    as_json: JsonOutput = False,
) -> None:
    """Deny all that somebody does, but for what a grant with --through-quarantine covers. Names are exact.

    Example: praetor control quarantine --tenant acme --agent coder-1 --reason "being looked at" --for 1d
    """
    target = read_target(fleet, tenant, agent, session, tool, tool_server)
    expiry = read_expiry(span, until)
    if not dry_run:
        _confirm("quarantine", target, yes)
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    give(settings, "quarantine", target, _said(reason, expiry), How(dry_run, wait, timeout, as_json))


def _said(reason: str, expiry: int | None) -> dict[str, object]:
    return {"reason": reason.strip(), **({} if expiry is None else {"expires_at": expiry})}


def _confirm(kind: str, target: Target, yes: bool) -> None:
    if yes or target.kind != "fleet":
        return
    if not sys.stdin.isatty():
        raise PraetorError(f"a {kind} of the whole fleet stops every agent: add --yes if that is meant")
    typer.confirm(f"{kind} the whole fleet, so that every action of every agent is denied?", abort=True)
