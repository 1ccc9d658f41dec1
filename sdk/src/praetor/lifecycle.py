"""Clients that are open: flushed at the process's exit, begun anew in a forked child."""

from __future__ import annotations

import atexit
import os
from multiprocessing import util
from typing import TYPE_CHECKING, Any

from praetor.errors import PraetorError

if TYPE_CHECKING:
    from praetor.client import Client


class Open:
    """The open clients of this process.

    An open client is kept alive: one that goes out of scope without `close` is flushed at exit all the same.
    """

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._parents: list[Any] = []

    def add(self, client: Client) -> None:
        """Know of a client."""
        self._clients.add(client)

    def discard(self, client: Client) -> None:
        """Forget a client that is closed."""
        self._clients.discard(client)

    def only(self) -> Client:
        """The one client that is open.

        Raises:
            PraetorError: there is none, or more than one.
        """
        found = list(self._clients)
        if len(found) != 1:
            raise PraetorError(
                f"{len(found)} Praetor clients are open: "
                + ("open one first" if not found else "say which: @governed(client=...)")
            )
        return found[0]

    def close(self) -> None:
        """At exit: send on for a while, and report what could not be sent."""
        for client in list(self._clients):
            client.end()

    def after_fork(self) -> None:
        """In a child: the parent's threads and locks are not here, its connections not the child's."""
        for client in list(self._clients):
            self._parents.append(client.after_fork())


OPEN = Open()

atexit.register(OPEN.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=OPEN.after_fork)
# children of multiprocessing end without atexit
util.register_after_fork(OPEN, lambda _: util.Finalize(None, OPEN.close, exitpriority=10))
