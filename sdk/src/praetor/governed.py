"""`@governed`: a tool function that tells of its calls and of what came of them."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, TypeVar, cast, overload

from praetor.client import Client
from praetor.telling import Governed, Said, Telling

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def governed(function: Function) -> Function: ...
@overload
def governed(
    *,
    client: Client | None = None,
    tool: str | None = None,
    action: Said = "call:tool",
    resource: Said | None = None,
    result: bool = True,
    required: bool = False,
    **fields: Any,
) -> Callable[[Function], Function]: ...
def governed(function: Function | None = None, **said: Any) -> Any:
    """Have every call of a function told: a call event, then a result event whose parent is the call.

    Args:
        function: a function, or a coroutine function.
        said: `client` (default: the only one open when the function is called); `tool` (the function's
            name); `action` (`call:tool`) and `resource` (module and qualified name), each text or a function
            of the arguments by name; `result=False` leaves the returned value out; `required=True` refuses
            to run a call that cannot be recorded; any other field of an event.

    What the function returns or raises is unchanged. Where an event cannot be taken (a full buffer, a field
    that does not fit) the error is logged, the event counts as refused, in the report and in the agent's
    closing event, and the function runs; with `required` the error is raised instead, and it does not run.
    For a result that cannot be taken nothing is raised. With `on_full="block"` a full buffer first delays
    the call by up to `full_timeout`. Of what the function raised only the type is told.

    Raises:
        PraetorError: when called while no client is open, or several and none is named.
        TypeError: at once, for a function that yields.
    """
    if function is None:
        return functools.partial(_wrap, said=said)
    return _wrap(function, said)


def _wrap(function: Function, said: dict[str, Any]) -> Function:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} yields: @governed is for functions that return")
    given = dict(said)
    how = Governed(
        signature=inspect.signature(function),
        client=given.pop("client", None),
        tool=given.pop("tool", None) or function.__name__,
        action=given.pop("action", "call:tool"),
        resource=given.pop("resource", None) or f"{function.__module__}.{function.__qualname__}",
        result=given.pop("result", True),
        required=given.pop("required", False),
        fields=given,
    )
    wrap = _coroutine if inspect.iscoroutinefunction(function) else _function
    return cast("Function", functools.wraps(function)(wrap(function, how)))


def _function(function: Callable[..., Any], how: Governed) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        telling = Telling(how, args, kwargs)
        telling.tell(telling.call)
        try:
            with telling.within():
                value = function(*args, **kwargs)
        except BaseException as error:
            telling.tell(telling.raised, error)
            raise
        telling.tell(telling.returned, value)
        return value

    return run


def _coroutine(function: Callable[..., Any], how: Governed) -> Callable[..., Any]:
    async def run(*args: Any, **kwargs: Any) -> Any:
        telling = Telling(how, args, kwargs)
        await telling.tell_async(telling.call)
        try:
            with telling.within():
                value = await function(*args, **kwargs)
        except BaseException as error:
            telling.tell_now(telling.raised, error)
            raise
        await telling.tell_async(telling.returned, value)
        return value

    return run
