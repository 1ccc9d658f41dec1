"""`praetor policy diff`: what changes between two bundles."""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from cli.backtest.control import ControlLog, read_control
from cli.backtest.sides import Side, find_side
from cli.options import DataDir, JsonOutput
from cli.policy.case_changes import CaseChange, case_changes
from cli.policy.differences import Change, Difference, differences
from cli.telling import count, print_json
from runtime.errors import PraetorError, Unavailable
from runtime.settings import Settings, load_settings

DIFFERENT = 1
FAILED = 2
SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}
LONG = 300

Bundle = Annotated[
    str, typer.Argument(help="Policy file or folder, bundle.json, digest on agent.control, or active.")
]


def diff(
    old: Bundle,
    new: Bundle,
    cases: Annotated[
        bool, typer.Option("--cases", help="Also which cases of either side come out otherwise.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where they differ, 0 where not, 2 on errors.")
    ] = False,
    data: DataDir = None,
    as_json: JsonOutput = False,
) -> None:
    """Say what changes between two bundles: rules key by key, policies, lists, thresholds.

    Lists and shared conditions are compared as rules have them written out; messages count, descriptions and
    cases do not. What it would have meant for past actions: praetor policy backtest.

    Example: praetor policy diff active my-policies/ --cases
    """
    try:
        before, after = _sides(old, new, load_settings(data))
        found = differences(before.bundle.content, after.bundle.content)
        tried, changed = (
            case_changes((before.bundle, before.loaded), (after.bundle, after.loaded)) if cases else (0, [])
        )
    except (PraetorError, Unavailable) as error:
        if not exit_code:
            raise
        typer.echo(f"praetor: {error}", err=True)
        raise typer.Exit(FAILED) from error
    if as_json:
        print_json(_known(before, after, found, changed if cases else None))
    else:
        for line in _told(before, after, found):
            typer.echo(line)
        if cases:
            _tell_cases(tried, changed)
    if exit_code and (found or changed):
        raise typer.Exit(DIFFERENT)


def _sides(old: str, new: str, settings: Settings) -> tuple[Side, Side]:
    read: list[ControlLog] = []

    def control() -> ControlLog:
        if not read:
            read.append(read_control(settings))
        return read[0]

    return find_side(old, control), find_side(new, control)


def _known(
    old: Side, new: Side, found: Sequence[Difference], cases: Sequence[CaseChange] | None
) -> dict[str, Any]:
    told = {
        "old": {"name": old.name, "digest": old.bundle.digest},
        "new": {"name": new.name, "digest": new.bundle.digest},
        "same": not found,
        "differences": [
            {**difference._asdict(), "changes": [change._asdict() for change in difference.changes]}
            for difference in found
        ],
    }
    return told if cases is None else {**told, "cases": [case._asdict() for case in cases]}


def _told(old: Side, new: Side, found: Sequence[Difference]) -> Iterator[str]:
    yield f"old: {old.name} ({old.bundle.digest})"
    yield f"new: {new.name} ({new.bundle.digest})"
    for difference in found:
        effect = f" ({difference.effect})" if difference.effect else ""
        yield f"{SIGNS[difference.what]} {difference.kind} {difference.name}{effect}"
        for change in difference.changes:
            yield from _told_change(change, difference.what)
    if not found:
        yield "no difference"


def _told_change(change: Change, what: str) -> Iterator[str]:
    if change.removed or change.added:
        entries = [f"-{_value(e)}" for e in change.removed] + [f"+{_value(e)}" for e in change.added]
        yield f"    {change.key}: {_short(', '.join(entries))}"
    elif isinstance(change.old, list) and isinstance(change.new, list):
        yield f"    {change.key}: in another order"
    elif what in ("added", "removed"):
        yield f"    {change.key}: {_value(change.new if what == 'added' else change.old)}"
    else:
        yield f"    {change.key}: {_value(change.old)} -> {_value(change.new)}"


def _tell_cases(tried: int, changed: Sequence[CaseChange]) -> None:
    typer.echo(f"{count(tried, 'case')} tried, {len(changed)} come out otherwise")
    for case in changed:
        side = "" if case.of == "both" else f", only in {case.of}"
        typer.echo(f"~ case {case.policy}: {case.case} (expects {case.expected}{side})")
        typer.echo(f"    {_short(case.old)} -> {_short(case.new)}")


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    plain = int(value) if isinstance(value, float) and value.is_integer() else value
    return _short(json.dumps(plain, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}..."
