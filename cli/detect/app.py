"""`praetor detect`: every subcommand in one table; each has a file of its own beside this one."""

import typer

from cli.detect.schema import schema

detect_app = typer.Typer(no_args_is_help=True, help="Look over, try and measure detections.")
# in the order of a rule's life
detect_app.command()(schema)


@detect_app.callback()
def _detect() -> None:
    """Look over, try and measure detections."""
