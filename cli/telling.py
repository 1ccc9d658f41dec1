"""How commands say things."""

import json
from typing import Any

import typer


def print_json(value: Any) -> None:
    """One JSON text on a line."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def count(number: int, noun: str) -> str:
    """`1 rule`, `2 rules`, `2 policies`."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else many}"
