"""What a long computation calls now and then, so that whoever shares the interpreter has a turn."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Rest = Callable[[], None]
T = TypeVar("T")


def no_rest() -> None:
    """Go on at once."""


def resting(items: Iterable[T], rest: Rest) -> Iterator[T]:
    """The items; `rest` is called after each."""
    for item in items:
        yield item
        rest()
