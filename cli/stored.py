"""The store as commands open it, and who they are for its record of changes."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from runtime.settings import Settings
from store.store import Store

By = Annotated[str, typer.Option("--by", help="Who you are, for the record; your login's name by default.")]


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store, of this version.

    Raises:
        Unavailable, PraetorError: it does not answer, or is of another version.
    """
    store = Store(settings.store)
    try:
        store.open()
        yield store
    finally:
        store.close()


def whoever(by: str) -> str:
    """The name given, else the login's."""
    try:
        return by or getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"
