"""A text to a file or to standard output."""

from pathlib import Path

import typer

from runtime.errors import PraetorError


def write_or_print(text: str, output: Path | None) -> None:
    """Write a text that ends in a line break.

    Raises:
        PraetorError: the file cannot be written.
    """
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PraetorError(f"{output}: {error.strerror}") from error
