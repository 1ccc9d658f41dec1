"""Lanes over connections that give batches up: a scripted connection, as no real broker does so when asked.

What a broker does when it comes and goes is in test_outages.py.
"""

import asyncio
from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from praetor.buffer import Buffer, Event
from praetor.lane import TooLarge
from praetor.sender import Sender

PARTITIONS = 2
AGENTS = 4
LARGE = b"large"


class Broken(Exception):
    """What a scripted connection fails with."""


class Log:
    """A topic, and what is about to happen to each batch that is sent to it."""

    def __init__(self, script: list[str]) -> None:
        self.script = script
        self.records: dict[int, list[bytes]] = defaultdict(list)
        self.open = 0
        self.doubtful = 0

    async def connect(self) -> "Connection":
        if self.script and self.script[0] == "unreachable":
            self.script.pop(0)
            raise Broken("unreachable")
        self.open += 1
        return Connection(self)


class Connection:
    def __init__(self, log: Log) -> None:
        self._log = log

    def partition(self, key: bytes) -> int:
        return sum(key) % PARTITIONS

    async def send(self, partition: int, events: list[Event]) -> tuple[int, Any]:
        batch = events[:3]
        return len(batch), self._arrive(partition, [e.value for e in batch])

    async def _arrive(self, partition: int, values: list[bytes]) -> None:
        await asyncio.sleep(0)
        if any(LARGE in value for value in values):
            raise TooLarge("too large")
        fate = self._log.script.pop(0) if self._log.script else "arrives"
        if fate != "lost":
            self._log.records[partition] += values
        if fate in ("lost", "unacknowledged"):
            self._log.doubtful += len(values)
            raise Broken(fate)

    async def close(self) -> None:
        self._log.open -= 1


FATES = st.lists(st.sampled_from(["arrives", "lost", "unacknowledged", "unreachable"]), max_size=12)


async def run(script: list[str], events: list[tuple[int, bool]]) -> tuple[Log, Sender, Buffer]:
    log, buffer = Log(script), Buffer("t", 1000, 1 << 20)
    sender = Sender(buffer, log.connect, (Broken,), 0.0, pause=0.0)
    for agent, large in events:
        buffer.put(f"a{agent}", b"a%d " % agent, b" " + (LARGE if large else b""), 0.0)
    task = asyncio.create_task(sender.run())
    while not buffer.drained(0):
        await asyncio.sleep(0)
    task.cancel()
    await sender.close()
    return log, sender, buffer


def by_agent(log: Log) -> dict[str, list[int]]:
    """The numbers of each agent's records as they stand in the log."""
    found: dict[str, list[int]] = defaultdict(list)
    for records in log.records.values():
        for value in records:
            agent, number, *_ = value.split(b" ")
            found[agent.decode()].append(number[0] >> 1)
    return found


@given(
    FATES, st.lists(st.tuples(st.integers(0, AGENTS - 1), st.booleans().filter(lambda x: not x)), max_size=15)
)
def test_nothing_is_lost_and_only_what_was_given_up_may_double(script, events):
    log, sender, buffer = asyncio.run(run(script, events))
    for agent, numbers in by_agent(log).items():
        taken = buffer.reports()[agent].acknowledged
        assert list(dict.fromkeys(numbers)) == list(range(taken)), "a number is missing or comes too early"
    doubled = sum(map(len, by_agent(log).values())) - len(events)
    assert 0 <= doubled <= log.doubtful
    assert log.open == 0 and sender.uncertain == 0


@given(FATES, st.lists(st.tuples(st.integers(0, AGENTS - 1), st.booleans()), max_size=15))
def test_what_is_refused_for_ever_is_put_aside(script, events):
    log, sender, buffer = asyncio.run(run(script, events))
    large = [event for event in events if event[1]]
    assert len(sender.rejected) == len(large) == sum(a.unsent for a in buffer.reports().values())
    arrived = {(agent, number) for agent, numbers in by_agent(log).items() for number in numbers}
    assert len(arrived) == len(events) - len(large)
