"""`praetor policy`: look over, try and build policies, before any worker sees them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.options import JsonOutput
from cli.policy_files import load_files
from policies.bundle import build_bundle
from policies.cases import CaseResult, run_cases
from policies.load import Loaded, PolicyMistakes
from runtime.errors import PraetorError

policy_app = typer.Typer(no_args_is_help=True, help="Look over, try, build and publish policies.")

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Policy files, or directories of them. Without any: the policies that come with Praetor."
    ),
]


@policy_app.command()
def lint(paths: Paths = None, as_json: JsonOutput = False) -> None:
    """Look over policies: all mistakes of all files, each with its place and what to do.

    Example: praetor policy lint my-policies/
    """
    try:
        loaded = load_files(paths)
    except PolicyMistakes as error:
        if as_json:
            _print_json({"ok": False, "mistakes": [m._asdict() for m in error.mistakes]})
        else:
            typer.echo(str(error), err=True)
            typer.echo(f"{_count(len(error.mistakes), 'mistake')}", err=True)
        raise typer.Exit(1) from None
    rules = sum(len(p.rules) for p in loaded.policies)
    if as_json:
        _print_json({"ok": True, "mistakes": [], "policies": len(loaded.policies), "rules": rules})
    else:
        typer.echo(f"{len(loaded.policies)} policies with {_count(rules, 'rule')}: no mistake found")


@policy_app.command("test")
def run_tests(paths: Paths = None, as_json: JsonOutput = False) -> None:
    """Run the cases that stand beside the rules, with all the given policies together.

    Example: praetor policy test my-policies/
    """
    loaded = load_files(paths)
    results = run_cases(loaded.policies)
    failed = [r for r in results if not r.passed]
    if as_json:
        _print_json({"ok": not failed, "cases": [r._asdict() for r in results]})
    else:
        _print_results(results, failed, loaded)
    if failed:
        raise typer.Exit(1)


@policy_app.command()
def build(
    paths: Paths = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it.")] = Path("bundle.json"),
    as_json: JsonOutput = False,
) -> None:
    """Make one bundle of policies: canonical JSON, named by its digest.

    Example: praetor policy build my-policies/ --output bundle.json
    """
    loaded = load_files(paths)
    bundle = build_bundle(loaded.policies, loaded.detections)
    try:
        output.write_bytes(bundle.json)
    except OSError as error:
        raise PraetorError(f"{output}: {error.strerror}") from error
    if as_json:
        _print_json({"digest": bundle.digest, "bytes": len(bundle.json), "file": str(output)})
    else:
        typer.echo(bundle.digest)


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
    typer.echo(f"{_count(len(results), 'case')}, {len(failed)} failed")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
