"""Subcommands that are imported when they are called: who judges does not load what pages people.

The pattern is click's own (its documentation, "Lazily Loading Subcommands").
"""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


class Subcommands(MutableMapping[str, Any]):
    """Commands by name; each is imported when it is first looked at, and the names are known before."""

    def __init__(self, places: dict[str, str]) -> None:
        """Take where each stands: `module:attribute`, a function or a `typer.Typer`."""
        self._places = places
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made(name, self._places[name])
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _made(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    parent = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name)(found)
    return typer.main.get_group(parent).commands[name]


def lazy_group(places: dict[str, str]) -> type[TyperGroup]:
    """A group of these commands, for `typer.Typer(cls=...)`."""

    class Lazy(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = Subcommands(places)

    return Lazy
