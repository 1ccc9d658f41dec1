"""`praetor detect schema`: what editors complete from."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.writing import write_or_print
from detections.schema import schema_of


class Kind(StrEnum):
    """The documents that go with detections; rules themselves are Sigma, which has schemas of its own."""

    cases = "cases"
    exceptions = "exceptions"


def schema(
    kind: Annotated[Kind, typer.Argument(help="Of which documents: cases or exceptions.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it.")] = None,
) -> None:
    """Print the JSON Schema (2020-12) of the documents beside the rules.

    Of `kind: Detections` and of policies: `praetor policy schema`. Of Sigma rules: Sigma's own.

    Example: praetor detect schema cases --output cases.schema.json
    """
    write_or_print(schema_of(kind), output)
