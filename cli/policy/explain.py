"""`praetor policy explain`: why an action is decided as it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import DataDir, JsonOutput
from cli.policy.explain_input import (
    Asked,
    action_of,
    asked_of_case,
    bits_for,
    facts_of,
    fields_of,
    moment_of,
    read_action_file,
)
from cli.policy.explain_recorded import Recorded, read_recorded
from cli.policy.explain_text import as_json, print_explanation
from cli.policy.signing import read_bundle
from cli.policy_files import load_files
from cli.telling import print_json
from policies.bundle import Bundle
from policies.case import Case
from policies.explaining.explain import Explainer, Explanation
from policies.load import Loaded
from policies.signals import Signals
from runtime.errors import PraetorError
from runtime.settings import load_settings

NOON = 1_767_614_400_000
"""2026-01-05T12:00:00Z, a Monday: when cases happen that do not say when."""

Text = str | None


def explain(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Policy files and folders, or one bundle (.json); default: those shipped."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A JSON file of the action's fields; - reads stdin.")
    ] = None,
    action: Annotated[Text, typer.Option(help="What it does, as read:file.")] = None,
    resource: Annotated[Text, typer.Option(help="On what.")] = None,
    tool: Annotated[Text, typer.Option(help="By which tool.")] = None,
    arguments: Annotated[Text, typer.Option(help="The tool's arguments, JSON.")] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", help="NAME=VALUE, any other field of an action; repeatable.", metavar="N=V"),
    ] = None,
    agent_state: Annotated[
        list[str] | None,
        typer.Option(help="What was before: actions=5,denials=1,session.actions=2.", metavar="N=V,..."),
    ] = None,
    detections: Annotated[
        list[str] | None, typer.Option(help="A detection that is on; repeatable.", metavar="NAME")
    ] = None,
    recent: Annotated[
        list[str] | None,
        typer.Option(
            "--recent-detection", help="A detection of an earlier action; repeatable.", metavar="NAME"
        ),
    ] = None,
    risk: Annotated[float, typer.Option(min=0, max=1, help="How likely the agent is hijacked, 0 to 1.")] = 0,
    after: Annotated[
        int, typer.Option(min=0, max=10_000, help="How often the same was done before: for limits.")
    ] = 0,
    at: Annotated[Text, typer.Option(help="When it is received, as 2026-01-05T12:00:00Z.")] = None,
    case: Annotated[Text, typer.Option(help="Explain this case of the policies, by its name.")] = None,
    event_id: Annotated[Text, typer.Option(help="An action that was judged: read from ClickHouse.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also the rules that do not hold by their first key.")
    ] = False,
    data: DataDir = None,
    json_output: JsonOutput = False,
) -> None:
    """Say of one action why it is allowed or denied: what every rule asked, what it saw, what decided.

    And what would have to be otherwise for it to be allowed. Fields on the command line win over the file's.

    Examples: praetor policy explain --action read:file --resource /etc/passwd

    praetor policy explain my-policies/ --case "a stranger" --all
    """
    bundle, loaded = _rules(paths)
    given = _given(action=action, resource=resource, tool=tool, arguments=arguments)
    given |= fields_of(fields or [])
    recorded = read_recorded(load_settings(data), event_id) if event_id else None
    if sum(x is not None for x in (file, case, event_id)) > 1:
        raise PraetorError("one of --file, --case and --event-id: they are three ways to name one action")
    if case is not None:
        asked = asked_of_case(_case(loaded, case), bundle.content.names)
    else:
        before = recorded.fields if recorded else read_action_file(file) if file else {}
        when = moment_of(at) or (recorded.received_at if recorded else _received(before))
        if "action" not in before | given:
            raise PraetorError("which action? --action read:file, --file, --case or --event-id")
        names = bundle.content.names
        signals = Signals(bits_for(names, detections or []), bits_for(names, recent or []), risk)
        asked = Asked(action_of(before | given, when), signals, facts_of(agent_state or []), after)
    _print(_explain(bundle, asked), bundle, recorded, everything, json_output)


def _explain(bundle: Bundle, asked: Asked) -> Explanation:
    explainer = Explainer(bundle.content, asked.read)
    cells = explainer.repeat(asked.action, asked.signals, asked.after)
    return explainer.explain(asked.action, asked.signals, cells)


def _print(
    told: Explanation, bundle: Bundle, recorded: Recorded | None, whole: bool, json_output: bool
) -> None:
    if json_output:
        beside = {"bundle": bundle.digest, "recorded": recorded.as_json() if recorded else None}
        print_json(beside | as_json(told))
        return
    for line in recorded.lines(bundle.digest) if recorded else ():
        typer.echo(line)
    print_explanation(told, whole)


def _rules(paths: list[Path] | None) -> tuple[Bundle, Loaded | None]:
    """The bundle, and the files that it was made of where it was made of files."""
    if paths and len(paths) == 1 and paths[0].suffix == ".json":
        return read_bundle(paths[0]), None
    loaded = load_files(paths)
    return loaded.bundle(), loaded


def _case(loaded: Loaded | None, name: str) -> Case:
    if loaded is None:
        raise PraetorError("a bundle carries no cases; name the policy files")
    found = [c for p in loaded.policies for c in p.cases if name in (c.name, f"{p.metadata.name}/{c.name}")]
    if len(found) != 1:
        told = "no case is" if not found else f"{len(found)} cases are"
        raise PraetorError(f"{told} called {name!r}; `praetor policy test` lists them, write policy/case")
    return found[0]


def _given(**fields: Text) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _received(fields: Mapping[str, Any]) -> int:
    """A decision's own time, where one was given."""
    at = fields.get("received_at")
    return at if isinstance(at, int) and not isinstance(at, bool) else NOON
