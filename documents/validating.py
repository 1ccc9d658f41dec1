"""A document against its model: the model, or all mistakes with their places."""

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from documents.node import Mistake, Node
from documents.types import KEY
from documents.wording import Path, Wording

Shape = TypeVar("Shape", bound=BaseModel)


def validate(
    source: str, node: Node, shape: type[Shape], wording: Wording, mistakes: list[Mistake]
) -> Shape | None:
    """The document's model; None where it is wrong: then its mistakes are added."""
    try:
        return shape.model_validate(node.value)
    except ValidationError as error:
        mistakes += _translate(source, node, error, wording)
        return None


def _translate(source: str, node: Node, error: ValidationError, wording: Wording) -> Iterator[Mistake]:
    for item in error.errors(include_url=False):
        path = item["loc"]
        message = wording.describe(path, item)
        if path[-1:] == (KEY,):
            yield mistake_at_key(source, node, path[:-1], message)
        elif item["type"] == "extra_forbidden":
            yield mistake_at_key(source, node, path, message)
        else:
            yield mistake_at(source, node, path, message)


def mistake_at(source: str, node: Node, path: Path, message: str) -> Mistake:
    """A mistake at a value."""
    found = node.find(path)
    return Mistake(source, found.line, found.column, message)


def mistake_at_key(source: str, node: Node, path: Path, message: str) -> Mistake:
    """A mistake at a key's name."""
    line, column = node.find(path[:-1]).keys[str(path[-1])]
    return Mistake(source, line, column, message)
