"""`praetor control grant`: let somebody do for a while what no rule decided against."""

from typing import Annotated

import typer

from cli.control.giving import give
from cli.control.options import (
    Agent,
    DryRun,
    For,
    How,
    Reason,
    Session,
    Timeout,
    Tool,
    ToolServer,
    Until,
    Wait,
    read_expiry,
    read_target,
)
from cli.options import DataDir, JsonOutput, TopicPrefix
from runtime.errors import PraetorError
from runtime.settings import load_settings


def grant(
    tenant: Annotated[str, typer.Option(help="The tenant of the agent or tool; its exact name.")],
    reason: Reason,
    agent: Agent = "",
    session: Session = "",
    tool: Tool = "",
    tool_server: ToolServer = "",
    action: Annotated[
        list[str] | None, typer.Option(help="Only such actions; a pattern, as in policies. Repeatable.")
    ] = None,
    resource: Annotated[
        list[str] | None, typer.Option(help="Only on such resources; a pattern, as in policies. Repeatable.")
    ] = None,
    through_quarantine: Annotated[
        bool, typer.Option("--through-quarantine", help="Also while the agent is quarantined.")
    ] = False,
    span: For = "",
    until: Until = "",
    dry_run: DryRun = False,
    wait: Wait = True,
    timeout: Timeout = 30,
    data: DataDir = None,
    topic_prefix: TopicPrefix = "",
    as_json: JsonOutput = False,
) -> None:
    """Allow for a while what no rule allows, or what waits for an approval.

    It lifts the default deny, an approval that is asked for and a deferral. A rule's deny, a rule that
    failed and a kill stand.

    Example: praetor control grant --tenant acme --agent a1 --action "write:*" --for 1h --reason "ticket 7"
    """
    target = read_target(False, tenant, agent, session, tool, tool_server)
    expiry = read_expiry(span, until)
    if target.kind == "tenant":
        raise PraetorError("a grant is for an agent, a session or a tool: name --agent or --tool")
    if expiry is None:
        raise PraetorError("a grant ends: say when, with --for or --until")
    said = {
        "reason": reason.strip(),
        "expires_at": expiry,
        "actions": action or [],
        "resources": resource or [],
        "through_quarantine": through_quarantine,
    }
    settings = load_settings(data, topic_prefix=topic_prefix or None)
    give(settings, "grant", target, said, How(dry_run, wait, timeout, as_json))
