"""`praetor policy schema`: what editors complete from."""

from pathlib import Path
from typing import Annotated

import typer

from cli.writing import write_or_print
from judgement.loading import BESIDE
from policies.schema import schema_text


def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it.")] = None,
) -> None:
    """Print the JSON Schema (2020-12) of the documents, from which editors complete and check.

    Example: praetor policy schema --output policy.schema.json
    """
    write_or_print(schema_text(BESIDE), output)
