"""`praetor policy test`: the cases beside the rules."""

import typer
from rich.console import Console
from rich.table import Table

from cli.options import JsonOutput
from cli.policy.options import Paths
from cli.policy.telling import count, print_json
from cli.policy_files import load_files
from policies.cases import CaseResult, run_cases
from policies.load import Loaded


def run_tests(paths: Paths = None, as_json: JsonOutput = False) -> None:
    """Run the cases that stand beside the rules, with all the given policies together.

    Example: praetor policy test my-policies/
    """
    loaded = load_files(paths)
    results = run_cases(loaded)
    failed = [r for r in results if not r.passed]
    if as_json:
        print_json({"ok": not failed, "cases": [r._asdict() for r in results]})
    else:
        _print_results(results, failed, loaded)
    if failed:
        raise typer.Exit(1)


def _print_results(results: list[CaseResult], failed: list[CaseResult], loaded: Loaded) -> None:
    table = Table("policy", "case", "expected", "got", "")
    for r in results:
        table.add_row(r.policy, r.case, r.expected, r.got, "ok" if r.passed else "FAILED")
    Console().print(table)
    for r in failed:
        where = loaded.places[r.policy]
        typer.echo(
            f"{where}: {r.policy}: {r.case}: expected {r.expected}, got {r.got}: {r.message}", err=True
        )
    typer.echo(f"{count(len(results), 'case')}, {len(failed)} failed")
