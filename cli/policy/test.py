"""`praetor policy test`: the cases beside the rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.junit import Tried, write_junit
from cli.options import JsonOutput
from cli.policy.options import Paths
from cli.policy.test_text import print_results, tell_failure
from cli.policy_files import load_files, named_files
from cli.telling import count, print_json
from cli.watching import watch
from policies.cases import CaseResult, run_cases
from policies.coverage import Coverage, cover
from policies.load import Loaded
from runtime.errors import PraetorError


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
        typer.Option(help="Cases whose policy/name fits this (* and ?), or has it in it.", metavar="PATTERN"),
    ] = "",
    min_coverage: Annotated[
        float,
        typer.Option(min=0, max=100, help="Fail where cases reach less than this percentage of the rules."),
    ] = 0,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file, too.")] = None,
    watching: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Run the cases that stand beside the rules, with all the given policies together.

    And say which rules no case reaches. Of a case that fails it is told what decided, and what was asked.

    Example: praetor policy test my-policies/ --min-coverage 100 --junit cases.xml
    """
    wanted = Wanted(only, min_coverage, junit, as_json)
    if watching:
        watch(lambda: named_files(paths), lambda: _run(paths, wanted))
    elif not _run(paths, wanted):
        raise typer.Exit(1)


def _run(paths: Paths, wanted: Wanted) -> bool:
    """Run the cases and tell of them; whether all is as it should be."""
    loaded = load_files(paths)
    results = [r for r in run_cases(loaded) if _is_wanted(r, wanted.only)]
    if not results:
        raise PraetorError(f"no case fits --only {wanted.only!r}; without it, all are run and listed")
    coverage = cover(loaded, results)
    places = CasePlaces(loaded)
    failed = [r for r in results if not r.passed]
    covered = coverage.percent >= wanted.min_coverage
    if wanted.junit is not None:
        write_junit(wanted.junit, [_tried(r, places.of(r)) for r in results])
    if wanted.as_json:
        print_json(_as_json(results, coverage, places, covered and not failed))
    else:
        print_results(results)
        for line in tell_failure(loaded, failed, places.of):
            typer.echo(line, err=True)
        for line in _tell_coverage(coverage, wanted, covered):
            typer.echo(line, err=not covered)
        typer.echo(f"{count(len(results), 'case')}, {len(failed)} failed")
    return covered and not failed


def _tried(r: CaseResult, place: str) -> Tried:
    failure = "" if r.passed else f"expected {r.expected}, got {r.got}"
    return Tried(r.policy, r.case, place, failure, r.message)


def _is_wanted(result: CaseResult, only: str) -> bool:
    name = f"{result.policy}/{result.case}"
    return only in name or fnmatchcase(name, only)


class CasePlaces:
    """Where cases stand."""

    def __init__(self, loaded: Loaded) -> None:
        """Look them up."""
        self._places = {
            (p.policy.metadata.name, case.name): f"{p.source}:{p.node.find(('cases', i)).line}"
            for p in loaded.located()
            for i, case in enumerate(p.policy.cases)
        }

    def of(self, result: CaseResult) -> str:
        """File and line."""
        return self._places[result.policy, result.case]


def _tell_coverage(coverage: Coverage, wanted: Wanted, covered: bool) -> Iterator[str]:
    reached, rules = len(coverage.reached), len(coverage.reached) + len(coverage.never)
    few = "" if covered else f"; {wanted.min_coverage:g}% are wanted"
    by = " by these cases" if wanted.only else " by a case"
    yield f"{reached} of {count(rules, 'rule')} reached{by} ({coverage.percent:.0f}%){few}"
    if coverage.never and not wanted.only:
        yield f"never reached: {', '.join('/'.join(rule) for rule in coverage.never)}"


def _as_json(results: list[CaseResult], coverage: Coverage, places: CasePlaces, ok: bool) -> dict[str, Any]:
    return {
        "ok": ok,
        "cases": [{**r._asdict(), "place": places.of(r)} for r in results],
        "coverage": {
            "percent": round(coverage.percent, 2),
            "reached": {
                "/".join(rule): ["/".join(case) for case in cases] for rule, cases in coverage.reached.items()
            },
            "never": ["/".join(rule) for rule in coverage.never],
        },
    }
