"""`praetor detect test`: the cases beside the rules."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.detect.explain_text import tell_account
from cli.detection_files import Paths, load_files, named_files
from cli.junit import Tried, write_junit
from cli.options import JsonOutput
from cli.telling import count, print_json
from cli.watching import watch
from detections.explaining import explain_all
from detections.loading import Loaded
from detections.trying import CaseResult, only_finders, run_cases
from runtime.errors import PraetorError

WIDE = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the cases are run, and what is wanted of them."""

    only: str
    min_coverage: float
    junit: Path | None
    as_json: bool


def run_tests(
    paths: Paths = None,
    only: Annotated[
        str,
        typer.Option(help="Cases whose rule/name fits this (* and ?), or has it in it.", metavar="PATTERN"),
    ] = "",
    min_coverage: Annotated[
        float,
        typer.Option(min=0, max=100, help="Fail where cases find less than this percentage of detections."),
    ] = 0,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file, too.")] = None,
    watching: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Run the cases that stand beside rules and correlations, with all the given ones together.

    Without files, those beside detectors in code, too. And say which detections no case finds, and which
    rules never find anything alone, detectors in code counted. Of a rule's case that fails it is told what
    every comparison saw.

    Example: praetor detect test my-detections/ --min-coverage 100 --junit cases.xml
    """
    wanted = Wanted(only, min_coverage, junit, as_json)
    if watching:
        watch(lambda: named_files(paths), lambda: _run(paths, wanted))
    elif not _run(paths, wanted):
        raise typer.Exit(1)


def _run(paths: list[Path] | None, wanted: Wanted) -> bool:
    """Run the cases and tell of them; whether all is as it should be."""
    loaded = load_files(paths)
    results = [r for r in run_cases(loaded) if _is_wanted(r, wanted.only)]
    if not results:
        raise PraetorError(f"no case fits --only {wanted.only!r}; without it, all are run and listed")
    coverage = _coverage(loaded, results)
    failed = [r for r in results if not r.passed]
    ok = coverage["percent"] >= wanted.min_coverage and not failed
    if wanted.junit is not None:
        write_junit(wanted.junit, [_tried(r) for r in results])
    if wanted.as_json:
        print_json({"ok": ok, "cases": [_as_json(r) for r in results], "coverage": coverage})
        return ok
    _print(results)
    for line in _tell_failures(loaded, failed):
        typer.echo(line, err=True)
    for line in _tell_coverage(coverage, wanted):
        typer.echo(line, err=coverage["percent"] < wanted.min_coverage)
    typer.echo(f"{count(len(results), 'case')}, {len(failed)} failed")
    return ok


def _is_wanted(result: CaseResult, only: str) -> bool:
    name = f"{result.placed.rule}/{result.placed.case.name}"
    return only in name or fnmatchcase(name, only)


def _coverage(loaded: Loaded, results: Sequence[CaseResult]) -> dict[str, Any]:
    rules = [rule.name for rule in loaded.detections]
    coded = {placed.rule for placed in loaded.cases} - loaded.placed.keys()
    names = [*rules, *sorted(coded)]
    found = {name for r in results for name in r.found}
    alone = only_finders(results)
    reached = [name for name in names if name in found]
    return {
        "percent": round(100 * len(reached) / max(len(names), 1), 2),
        "reached": reached,
        "never": [name for name in names if name not in found],
        "never_alone": [name for name in rules if name in found and name not in alone],
    }


def _tried(r: CaseResult) -> Tried:
    message = "; ".join(r.errors) or f"found: {', '.join(sorted(r.found)) or 'nothing'}"
    return Tried(r.placed.rule, r.placed.case.name, r.placed.place, "" if r.passed else r.told, message)


def _as_json(r: CaseResult) -> dict[str, Any]:
    return {
        "rule": r.placed.rule,
        "case": r.placed.case.name,
        "place": r.placed.place,
        "expected": r.placed.case.expect,
        "found": sorted(r.found),
        "passed": r.passed,
        "errors": list(r.errors),
    }


def _print(results: Sequence[CaseResult]) -> None:
    table = Table("detection", "case", "expected", "")
    for r in results:
        mark = Text("ok", style="green") if r.passed else Text("FAILED", style="bold red")
        table.add_row(Text(r.placed.rule), Text(r.placed.case.name), r.placed.case.expect, mark)
    Console(width=shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE).print(table)


def _tell_failures(loaded: Loaded, failed: Sequence[CaseResult]) -> Iterator[str]:
    for r in failed:
        yield f"{r.placed.place}: {r.placed.rule}: {r.placed.case.name}: {r.told}"
        yield from (f"    {error}" for error in r.errors)
        if r.placed.rule not in loaded.placed:
            continue
        told = explain_all(loaded, list(r.placed.case.actions()))
        account = next(a for a in told if a.name == r.placed.rule)
        yield from (f"    {line}" for line in tell_account(account))


def _tell_coverage(coverage: dict[str, Any], wanted: Wanted) -> Iterator[str]:
    reached, never = coverage["reached"], coverage["never"]
    few = "" if coverage["percent"] >= wanted.min_coverage else f"; {wanted.min_coverage:g}% are wanted"
    of = f"{len(reached)} of {count(len(reached) + len(never), 'detection')}"
    yield f"{of} found by a case ({coverage['percent']:.0f}%){few}"
    if never and not wanted.only:
        yield f"never found: {', '.join(never)}"
    if coverage["never_alone"] and not wanted.only:
        yield f"never alone: {', '.join(coverage['never_alone'])}"
