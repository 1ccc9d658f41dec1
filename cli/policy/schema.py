"""`praetor policy schema`: what editors complete from."""

from pathlib import Path
from typing import Annotated

import typer

from policies.schema import schema_text
from runtime.errors import PraetorError


def schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to write it.")] = None,
) -> None:
    """Print the JSON Schema (2020-12) of the documents, from which editors complete and check.

    Example: praetor policy schema --output policy.schema.json
    """
    if output is None:
        typer.echo(schema_text(), nl=False)
        return
    try:
        output.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise PraetorError(f"{output}: {error.strerror}") from error
