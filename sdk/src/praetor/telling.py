"""One call of a governed function, as events."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Callable, Union

from praetor.aio import put
from praetor.client import Client
from praetor.lifecycle import OPEN
from praetor.record import Encoded

Fields = dict[str, Any]
Said = Union[str, Callable[[Fields], str]]
"""Text, or a function of the call's arguments by name."""

log = logging.getLogger("praetor")
_CALL: ContextVar[str | None] = ContextVar("praetor_call", default=None)
_OWN = ("self", "cls")


@dataclass(frozen=True)
class Governed:
    """How one function's calls are told; see `governed`."""

    signature: inspect.Signature
    client: Client | None
    tool: str
    action: Said
    resource: Said
    result: bool
    required: bool
    fields: Fields


class Telling:
    """Tells of one call. What fails is logged and counted, and raised only for a call that is required.

    Raises:
        PraetorError: no client is open, or several and none is named.
    """

    def __init__(self, how: Governed, args: tuple[Any, ...], kwargs: Fields) -> None:
        self._how = how
        self._given = (args, kwargs)
        self._recorder = (how.client if how.client is not None else OPEN.only()).recorder
        self._common: Fields = {}
        self._call_id: str | None = None
        self._running = False

    def tell(self, make: Callable[..., Fields], *about: Any) -> None:
        """Tell, blocking while the buffer is full as long as the client's settings say."""
        self._tell(make, about, self._recorder.options.wait)

    def tell_now(self, make: Callable[..., Fields], *about: Any) -> None:
        """Tell without waiting for room."""
        self._tell(make, about, 0.0)

    async def tell_async(self, make: Callable[..., Fields], *about: Any) -> None:
        """Tell, awaiting room."""
        try:
            event = self._recorder.build(make(*about))
            await put(self._recorder, event)
            self._took(event)
        except Exception as error:  # noqa: BLE001 - what a callable said may raise anything
            self._refused(error)

    @contextmanager
    def within(self) -> Iterator[None]:
        """The call is the parent of the calls made in this block."""
        self._running = True
        token = _CALL.set(self._call_id)
        try:
            yield
        finally:
            _CALL.reset(token)

    def call(self) -> Fields:
        """The fields of the call."""
        how, (args, kwargs) = self._how, self._given
        try:
            bound = how.signature.bind(*args, **kwargs)
        except TypeError:  # running the function will say so
            arguments: Fields = {"args": args, "kwargs": kwargs}
        else:
            bound.apply_defaults()
            arguments = {k: v for k, v in bound.arguments.items() if k not in _OWN}
        self._common = {
            **how.fields,
            "tool": how.tool,
            "action": how.action if isinstance(how.action, str) else str(how.action(arguments)),
            "resource": how.resource if isinstance(how.resource, str) else str(how.resource(arguments)),
        }
        return {**self._common, "phase": "call", "arguments": arguments, "parent_event_id": _CALL.get()}

    def returned(self, value: Any) -> Fields:
        """The fields of a result."""
        content = {"content": value} if self._how.result and value is not None else {}
        return {**self._result(), "outcome": "ok", **content}

    def raised(self, error: BaseException) -> Fields:
        """The fields of a failure: the exception's type; its text may hold anything, and is not told."""
        kind = type(error)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        labels = {**self._common.get("labels", {}), "error.type": name}
        return {**self._result(), "outcome": "error", "labels": labels}

    def _result(self) -> Fields:
        return {**self._common, "phase": "result", "parent_event_id": self._call_id}

    def _tell(self, make: Callable[..., Fields], about: tuple[Any, ...], wait: float) -> None:
        try:
            event = self._recorder.build(make(*about))
            self._recorder.put(event, wait)
            self._took(event)
        except Exception as error:  # noqa: BLE001 - what a callable said may raise anything
            self._refused(error)

    def _took(self, event: Encoded) -> None:
        if not self._running:
            self._call_id = event.event_id

    def _refused(self, error: Exception) -> None:
        count = self._recorder.refuse(self._how.fields.get("agent_id"))
        if not count & (count - 1):  # not a line for each of thousands
            log.error("an event of %s is not recorded (%d so far): %s", self._how.tool, count, error)
        if self._how.required and not self._running:
            raise error
