"""Doing a thing again whenever files change."""

import time
from collections.abc import Callable
from pathlib import Path

import typer

from runtime.errors import PraetorError

PAUSE_SECONDS = 0.3

Stamps = dict[Path, tuple[int, int]]


def watch(files: Callable[[], list[Path]], do: Callable[[], object]) -> None:
    """Do it, and again after each change of the files, asked for anew each time, until Ctrl-C.

    What it raises for a person is told and waited over: the next change may mend it.
    """
    try:
        while True:
            seen = _stamps(files())
            try:
                do()
            except PraetorError as error:
                typer.echo(f"praetor: {error}", err=True)
            typer.echo("watching; Ctrl-C ends", err=True)
            while _stamps(files()) == seen:
                time.sleep(PAUSE_SECONDS)
            typer.echo("")
    except KeyboardInterrupt:
        typer.echo("", err=True)


def _stamps(paths: list[Path]) -> Stamps:
    """When each file was changed, and its size; a file that cannot be looked at has none."""
    found: Stamps = {}
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_mtime_ns, stat.st_size)
    return found
