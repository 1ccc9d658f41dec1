"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[Path | None, typer.Option("--data", help="Folder of the embedded stack to talk to.")]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
