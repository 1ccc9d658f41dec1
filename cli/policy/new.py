"""`praetor policy new`: a policy to begin with."""

from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from policies.types import Id
from runtime.errors import PraetorError


class Template(StrEnum):
    """What there is to begin with: a file each in policies/templates."""

    blank = "blank"
    coding = "coding"
    payments = "payments"
    mcp = "mcp"


def new(
    name: Annotated[str, typer.Argument(help="The policy's name: lower case letters, digits, - . and _.")],
    template: Annotated[
        Template,
        typer.Option(help="blank, coding (agents that write code), payments, mcp (tools of MCP servers)."),
    ] = Template.blank,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it; NAME.yaml by default.")
    ] = None,
) -> None:
    """Write a commented policy to begin with; its cases pass. A file that is there is left alone.

    Example: praetor policy new support-agents --template mcp -o policies/support.yaml
    """
    text = begin(name, template)
    target = output or Path(f"{name}.yaml")
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise PraetorError(
            f"{target} is there already and was left as it is; name another with -o"
        ) from error
    except OSError as error:
        raise PraetorError(f"{target}: {error.strerror}") from error
    typer.echo(f"{target}: edit it, then: praetor policy lint {target} && praetor policy test {target}")


def begin(name: str, template: Template) -> str:
    """A template under a name.

    Raises:
        PraetorError: no policy can be called so.
    """
    try:
        TypeAdapter(Id).validate_python(name)
    except ValidationError as error:
        raise PraetorError(
            f"no policy can be called {name[:80]!r}: lower case letters, digits, - . and _, at most 100, and"
            " not bundle, control or praetor"
        ) from error
    text = files("policies").joinpath("templates", f"{template.value}.yaml").read_text(encoding="utf-8")
    return text.replace("name: NAME", f"name: {name}")
