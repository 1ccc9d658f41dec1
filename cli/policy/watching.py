"""Doing a thing again whenever files change."""

import time
from collections.abc import Callable
from pathlib import Path

import typer

from cli.policy_files import named_files
from runtime.errors import PraetorError

PAUSE_SECONDS = 0.3

Stamps = dict[Path, tuple[int, int]]


def watch(paths: list[Path] | None, do: Callable[[], object]) -> None:
    """Do it, and again after each change of the policy files below the paths, until Ctrl-C.

    What it raises for a person is told and waited over: the next change may mend it.
    """
    try:
        while True:
            seen = _stamps(paths)
            try:
                do()
            except PraetorError as error:
                typer.echo(f"praetor: {error}", err=True)
            typer.echo("watching; Ctrl-C ends", err=True)
            while _stamps(paths) == seen:
                time.sleep(PAUSE_SECONDS)
            typer.echo("")
    except KeyboardInterrupt:
        typer.echo("", err=True)


def _stamps(paths: list[Path] | None) -> Stamps:
    """When each file was changed, and its size; a file that cannot be looked at has none."""
    found: Stamps = {}
    for path in named_files(paths):
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_mtime_ns, stat.st_size)
    return found
