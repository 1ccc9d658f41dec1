"""`@governed` tells of calls and results, and changes nothing about the function."""

import asyncio
import inspect
import json
import logging
from typing import Any

import pytest
from praetor import BufferFull, PraetorError, governed
from praetor.lifecycle import OPEN

from runtime.embedded.process import free_port
from schemas.codec import Record
from tests.sdk.helpers import CLOSING, Actions


@governed
def add(a: int, b: int = 2) -> int:
    """Adds."""
    return a + b


class Odd(Exception):
    """What a tool may raise."""


def told(actions: Actions) -> list[Record]:
    (events,) = actions.read().values()
    return [event for event in events if event["action"] != CLOSING]


def test_a_plain_function_tells_its_call_and_its_result(actions: Actions):
    with actions.client():
        assert add(1, b=5) == 6
    call, result = told(actions)
    assert (call["phase"], call["action"], call["tool"]) == ("call", "call:tool", "add")
    assert call["resource"] == f"{__name__}.add"
    assert json.loads(call["arguments"]) == {"a": 1, "b": 5}
    assert (result["phase"], result["outcome"], result["content"]) == ("result", "ok", "6")
    assert result["parent_event_id"] == call["event_id"] and result["tool"] == "add"
    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    assert list(inspect.signature(add).parameters) == ["a", "b"]


def test_what_is_raised_is_raised_on_and_told_by_its_type(actions: Actions):
    error = Odd("hunter2")

    @governed(labels={"team": "red"}, session_id="s")
    def fail() -> None:
        raise error

    with actions.client():
        with pytest.raises(Odd) as caught:
            fail()
        with pytest.raises(TypeError, match="missing 1 required positional argument"):
            add()  # type: ignore[call-arg]
    assert caught.value is error
    call, result, bad, bad_result = told(actions)
    assert (call["labels"], call["session_id"]) == ({"team": "red"}, "s")
    assert (result["outcome"], result["session_id"]) == ("error", "s")
    assert result["labels"] == {"team": "red", "error.type": f"{__name__}.Odd"}
    assert "hunter2" not in str(result)
    assert json.loads(bad["arguments"]) == {"args": [], "kwargs": {}}
    assert bad_result["labels"] == {"error.type": "TypeError"}


async def test_coroutines_and_what_they_call(broker: str):
    actions = Actions(broker)
    await actions._create()

    @governed(action="read:file", resource=lambda said: said["path"], tool="reader", result=False)
    async def read(path: str) -> str:
        await asyncio.sleep(0.01)
        return f"{path}: {add(1)}"

    async with actions.async_client():
        assert await asyncio.gather(read("/a"), read("/b")) == ["/a: 3", "/b: 3"]
    assert inspect.iscoroutinefunction(read)
    events = await asyncio.to_thread(told, actions)
    calls = {e["resource"]: e for e in events if e["tool"] == "reader" and e["phase"] == "call"}
    results = {e["resource"]: e for e in events if e["tool"] == "reader" and e["phase"] == "result"}
    assert calls.keys() == results.keys() == {"/a", "/b"}
    assert all(results[p]["parent_event_id"] == calls[p]["event_id"] for p in calls)
    assert all(r["content"] is None and r["action"] == "read:file" for r in results.values())
    within = [e["parent_event_id"] for e in events if e["tool"] == "add" and e["phase"] == "call"]
    assert sorted(within) == sorted(c["event_id"] for c in calls.values())


async def test_a_cancelled_coroutine_is_told(broker: str):
    actions = Actions(broker)
    await actions._create()

    @governed
    async def wait() -> None:
        await asyncio.sleep(60)

    async with actions.async_client():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    _, result = await asyncio.to_thread(told, actions)
    assert result["labels"]["error.type"].endswith("CancelledError")


def test_methods_leave_self_out(actions: Actions):
    class Tools:
        @governed
        def search(self, text: str) -> list[str]:
            return [text]

    with actions.client():
        assert Tools().search("x") == ["x"]
    call, result = told(actions)
    assert (json.loads(call["arguments"]), result["content"]) == ({"text": "x"}, '["x"]')


def test_what_cannot_be_told_is_logged_and_counted_and_the_function_runs(actions: Actions, caplog):
    @governed(resource=lambda said: said["absent"])
    def strange(value: Any) -> Any:
        return value

    with caplog.at_level(logging.ERROR, "praetor"), actions.client() as client:
        client.action("read:file")
        assert strange(5) == 5
    assert "an event of strange is not recorded (1 so far): 'absent'" in caplog.text
    assert client.report.refused == 2 and not client.report.complete
    ((_, closing),) = actions.read().values()
    assert closing["labels"] == {"praetor.refused": "2"}


async def test_a_full_buffer_is_no_matter_to_a_function_unless_it_is_required(actions_away: Actions):
    ran = []

    @governed(required=True)
    def careful() -> None:
        ran.append("careful")

    @governed(required=True)
    async def careful_too() -> None:
        ran.append("careful")

    client = actions_away.client(max_events=1, on_full="raise")
    client.action("read:file")
    assert add(1) == 3
    with pytest.raises(BufferFull):
        careful()
    with pytest.raises(BufferFull):
        await careful_too()
    assert ran == []
    assert (client.close(0).refused, client.report.unsent) == (4, 2)


def test_without_a_client_or_with_several_it_says_so(actions_away: Actions):
    with pytest.raises(PraetorError, match="0 Praetor clients are open: open one first"):
        add(1)
    one, two = actions_away.client(), actions_away.client()
    with pytest.raises(PraetorError, match=r"2 Praetor clients are open: say which: @governed\(client=...\)"):
        add(1)
    assert governed(client=one)(lambda: 5)() == 5
    assert (one.close(0).unsent, two.close(0).unsent) == (3, 0)
    with pytest.raises(PraetorError, match="0 Praetor"):
        OPEN.only()


def test_functions_that_yield_are_refused_at_once():
    def generate() -> Any:
        yield 1

    async def generate_too() -> Any:
        yield 1

    for function in (generate, generate_too):
        with pytest.raises(TypeError, match="yields: @governed is for functions that return"):
            governed(function)


@pytest.fixture
def actions_away() -> Actions:
    """A topic on a broker that nobody reaches."""
    return Actions(f"127.0.0.1:{free_port()}")
