"""The `praetor` command: every subcommand in one table."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from cli.govern import govern
from cli.replay import replay
from cli.topics import topics_app
from runtime.errors import PraetorError, Unavailable

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Judge what AI agents do. Start with: praetor demo",
)
app.command()(govern)
app.command()(replay)
app.add_typer(topics_app, name="topics")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"praetor {version('praetor-server')}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Judge what AI agents do."""


def main() -> None:
    """Run the command; what a person can mend is one line on standard error and exit code 1."""
    try:
        app()
    except (PraetorError, Unavailable) as error:
        print(f"praetor: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
