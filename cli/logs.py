"""`praetor logs`: what the stack's processes write."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cli.options import DataDir
from runtime.embedded.process import tail
from runtime.errors import PraetorError
from runtime.settings import load_settings

LOOK_SECONDS = 0.2


def logs(
    name: Annotated[
        str | None, typer.Argument(help="A process as `praetor status` names it; all if none.")
    ] = None,
    data: DataDir = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", help="How many lines of each to begin with.")] = 20,
) -> None:
    """Show the ends of the logs, each line after the name of its process.

    Example: praetor logs govern-1 --follow
    """
    folder = load_settings(data).data / "logs"
    files = sorted(folder.glob("*.log")) if name is None else [folder / f"{name}.log"]
    if not files or not all(file.exists() for file in files):
        known = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none"
        raise PraetorError(f"no log of {name or 'any process'} in {folder}; there are: {known}")
    width = max(len(file.stem) for file in files)
    places = {}
    for file in files:
        places[file] = file.stat().st_size
        for line in tail(file, lines).splitlines():
            typer.echo(f"{file.stem:{width}} | {line}")
    while follow:
        time.sleep(LOOK_SECONDS)
        for file in files:
            places[file] = _print_new(file, places[file], width)


def _print_new(file: Path, place: int, width: int) -> int:
    """Print the whole lines after `place`; return where they end. A file cut short is read anew."""
    size = file.stat().st_size
    begin = place if size >= place else 0
    with open(file, "rb") as opened:
        opened.seek(begin)
        whole = opened.read().rpartition(b"\n")[0]
    if not whole:
        return begin
    for line in whole.decode(errors="replace").splitlines():
        typer.echo(f"{file.stem:{width}} | {line}")
    return begin + len(whole) + 1
