"""`praetor policy lint`: all mistakes of all files, and what is worth another look."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.options import JsonOutput
from cli.policy.lint_formats import WRITERS, Told
from cli.policy.options import Paths
from cli.policy.telling import count, print_json
from cli.policy_files import load_files
from policies.linting.finding import CODES, Level
from policies.linting.lint import lint_policies
from policies.load import PolicyMistakes
from runtime.errors import PraetorError


class Format(StrEnum):
    """How findings are told."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


def lint(
    paths: Paths = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings, too.")] = False,
    ignore: Annotated[
        list[str] | None, typer.Option(help="A code to leave out, as PL104; repeatable.", metavar="CODE")
    ] = None,
    codes: Annotated[bool, typer.Option("--codes", help="List the codes, with what they mean.")] = False,
    output: Annotated[
        Format,
        typer.Option("--format", help="text for people; json; github (annotations); sarif (2.1.0)."),
    ] = Format.text,
    as_json_: JsonOutput = False,
) -> None:
    """Look over policies: all mistakes of all files, each with its place and what to do.

    And warnings and notes: rules that never match or never decide, conditions that always hold or fail,
    places that escape by how they are written, what nothing uses, what no case tries. Mistakes fail;
    warnings with --strict; notes never.

    Example: praetor policy lint my-policies/ --strict --ignore PL104
    """
    if codes:
        _print_codes(as_json_)
        return
    ignored = frozenset(code.upper() for code in ignore or ())
    for code in sorted(ignored - CODES.keys()):
        raise PraetorError(f"--ignore {code[:40]!r}: no such code; `praetor policy lint --codes` lists them")
    told = _look(paths, ignored)
    (WRITERS[Format.json if as_json_ else output])(told)
    if told.mistakes or (strict and told.count(Level.warning)):
        raise typer.Exit(1)


def _look(paths: Paths, ignored: frozenset[str]) -> Told:
    try:
        loaded = load_files(paths)
    except PolicyMistakes as error:
        return Told(error.mistakes, [], 0, 0)
    rules = sum(len(p.rules) for p in loaded.policies)
    return Told([], lint_policies(loaded, ignored), len(loaded.policies), rules)


def _print_codes(as_json_: bool) -> None:
    if as_json_:
        print_json([code._asdict() for code in CODES.values()])
        return
    for code in CODES.values():
        typer.echo(f"{code.id} {code.name} ({code.level.value})\n    {code.text}")
    typer.echo(count(len(CODES), "code"))
