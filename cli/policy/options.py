"""What several commands of `praetor policy` take."""

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Policy files, or directories of them. Without any: the policies that come with Praetor."
    ),
]

Reason = Annotated[str, typer.Option(help="Why, for whoever looks later.", metavar="TEXT")]

TIMEOUT = 60.0
"""Seconds: ten thousand rules compile in five, beside what a worker has to do."""
