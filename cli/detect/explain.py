"""`praetor detect explain`: what detections see in an action."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.detect.explain_text import as_json, is_close, tell_account
from cli.detection_files import Paths, load_files
from cli.options import DataDir, JsonOutput
from cli.policy.explain_input import action_of, fields_of, read_action_file
from cli.policy.explain_recorded import read_recorded
from cli.telling import print_json
from detections.cases import NOON
from detections.explaining import explain_all
from detections.loading import Loaded
from runtime.errors import PraetorError
from runtime.settings import load_settings
from schemas.action import Action

Text = str | None


def explain(
    paths: Paths = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A JSON file of the action's fields; - reads stdin.")
    ] = None,
    action: Annotated[Text, typer.Option(help="What it does, as exec:shell.")] = None,
    resource: Annotated[Text, typer.Option(help="On what.")] = None,
    tool: Annotated[Text, typer.Option(help="By which tool.")] = None,
    arguments: Annotated[Text, typer.Option(help="The tool's arguments, JSON.")] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", help="NAME=VALUE, any other field of an action; repeatable.", metavar="N=V"),
    ] = None,
    case: Annotated[Text, typer.Option(help="Explain this case, by its name or rule/name.")] = None,
    event_id: Annotated[Text, typer.Option(help="An action that was judged: read from ClickHouse.")] = None,
    rule: Annotated[Text, typer.Option(help="Of this detection alone, whole.", metavar="NAME")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the detections of which no comparison holds.")
    ] = False,
    data: DataDir = None,
    json_output: JsonOutput = False,
) -> None:
    """Say of one action what each detection asks, what it sees, and what is found.

    Example: praetor detect explain --action exec:shell --resource "git push --force origin main"
    """
    loaded = load_files(paths)
    given = {"action": action, "resource": resource, "tool": tool, "arguments": arguments}
    own = {name: value for name, value in given.items() if value is not None} | fields_of(fields or [])
    if sum(x is not None for x in (file, case, event_id)) > 1:
        raise PraetorError("one of --file, --case and --event-id: they are three ways to name one action")
    if case is not None:
        actions = _of_case(loaded, case)
    else:
        recorded = read_recorded(load_settings(data), event_id) if event_id else None
        before = recorded.fields if recorded else read_action_file(file) if file else {}
        actions = [_made(before | own, recorded.received_at if recorded else NOON)]
    accounts = explain_all(loaded, actions)
    if rule is not None:
        accounts = [a for a in accounts if a.name == rule]
        if not accounts:
            raise PraetorError(f"no detection {rule!r}; `praetor detect list` names them")
    if json_output:
        print_json({"found": [a.name for a in accounts if a.found], "detections": [*map(as_json, accounts)]})
        return
    shown = [a for a in accounts if everything or rule or is_close(a)]
    for account in shown:
        for line in tell_account(account, whole=rule is not None):
            typer.echo(line)
    found = [a.name for a in accounts if a.found]
    typer.echo(f"considered: {len(accounts)}; found: {', '.join(found) or 'nothing'}")


def _of_case(loaded: Loaded, name: str) -> list[Action]:
    found = [c for c in loaded.cases if name in (c.case.name, f"{c.rule}/{c.case.name}")]
    if len(found) != 1:
        told = "no case is" if not found else f"{len(found)} cases are"
        raise PraetorError(f"{told} called {name!r}; `praetor detect test` lists them, write rule/case")
    return list(found[0].case.actions())


def _made(fields: dict[str, Any], at: int) -> Action:
    if "action" not in fields:
        raise PraetorError("which action? --action exec:shell, --file, --case or --event-id")
    return action_of(fields, at)
