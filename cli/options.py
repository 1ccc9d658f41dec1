"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None, typer.Option("--data", help="Folder of the embedded stack; .praetor by default.")
]
TopicPrefix = Annotated[
    str, typer.Option("--topic-prefix", help="Prefix of the topics that govern writes; none by default.")
]
JsonOutput = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
