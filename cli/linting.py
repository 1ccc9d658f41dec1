"""What the commands that lint have in common: their options, and how they end."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, NamedTuple

import typer

from cli.lint_formats import WRITERS, Kind, Told
from cli.telling import count, print_json
from documents.lints import Level
from runtime.errors import PraetorError


class Format(StrEnum):
    """How findings are told."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


Strict = Annotated[bool, typer.Option("--strict", help="Fail on warnings, too.")]
Ignore = Annotated[
    list[str] | None, typer.Option(help="A code to leave out, as PL104; repeatable.", metavar="CODE")
]
CodesOption = Annotated[bool, typer.Option("--codes", help="List the codes, with what they mean.")]
FormatOption = Annotated[
    Format, typer.Option("--format", help="text for people; json; github (annotations); sarif (2.1.0).")
]


class Wanted(NamedTuple):
    """What was asked for."""

    strict: bool
    ignore: tuple[str, ...]
    codes: bool
    output: Format


def lint_and_tell(kind: Kind, wanted: Wanted, look: Callable[[frozenset[str]], Told]) -> None:
    """Look, without some codes, and tell; or list the codes.

    Raises:
        PraetorError: a code to leave out does not exist.
        typer.Exit: with 1, where there are mistakes, or warnings and these are to fail.
    """
    if wanted.codes:
        _print_codes(kind, wanted.output is Format.json)
        return
    ignored = frozenset(code.upper() for code in wanted.ignore)
    for code in sorted(ignored - kind.codes.keys()):
        raise PraetorError(f"--ignore {code[:40]!r}: no such code; `{kind.tool} --codes` lists them")
    told = look(ignored)
    WRITERS[wanted.output](told)
    if told.mistakes or (wanted.strict and told.count(Level.warning)):
        raise typer.Exit(1)


def _print_codes(kind: Kind, as_json: bool) -> None:
    if as_json:
        print_json([code._asdict() for code in kind.codes.values()])
        return
    for code in kind.codes.values():
        typer.echo(f"{code.id} {code.name} ({code.level.value})\n    {code.text}")
    typer.echo(count(len(kind.codes), "code"))
