"""What is taken and not yet acknowledged: bounded, numbered per agent, in order."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, NamedTuple

from praetor.encoding import agent_key, join
from praetor.errors import BufferFull, Closed
from praetor.report import AgentReport


class Agent:
    """One agent's numbers in this epoch."""

    __slots__ = ("acknowledged", "closed", "key", "name", "refused", "settled", "taken")

    def __init__(self, tenant: str, name: str) -> None:
        self.name = name
        self.key = agent_key(tenant, name)
        self.taken = 0
        self.acknowledged = 0
        self.settled = 0
        self.refused = 0
        self.closed = False

    def report(self) -> AgentReport:
        """As it stands."""
        return AgentReport(self.acknowledged, self.taken - self.acknowledged, self.refused, self.closed)


class Event(NamedTuple):
    """A numbered event on its way."""

    agent: Agent
    value: bytes
    closing: bool


class Buffer:
    """Events between the callers' threads and the sender's.

    An event holds its room until it is acknowledged. A number is spent only together with a place in the
    queue, under one lock: per agent, what is in the queue is contiguous and in order.
    """

    def __init__(self, tenant: str, max_events: int, max_bytes: int) -> None:
        self._tenant = tenant
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._changed = threading.Condition(threading.Lock())
        self._queue: deque[Event] = deque()
        self._agents: dict[str, Agent] = {}
        self._events = 0
        self._bytes = 0
        self._waiting = 0
        self._closed = False
        self._asleep: Callable[[], object] | None = None

    def put(self, name: str, head: bytes, tail: bytes, wait: float) -> None:
        """Take an event of an agent; waits up to so many seconds for room.

        Raises:
            BufferFull: there was no room in that time, or there never can be.
            Closed: the buffer is closed.
        """
        size = len(head) + len(tail)
        with self._changed:
            if self._closed:
                raise Closed("this client is closed: open another one")
            if self._events >= self._max_events or self._bytes + size > self._max_bytes:
                self._wait_for_room(size, wait)
            self._append(self._agent(name), head, tail, False)
            wake, self._asleep = self._asleep, None
        if wake is not None:
            wake()

    def requeue(self, events: list[Event]) -> None:
        """Take events that have their numbers, whatever room there is; one agent is one object."""
        with self._changed:
            for event in events:
                event.agent.taken += 1
                self._agents[event.agent.key.decode()] = event.agent
            self._queue.extend(events)
            self._events += len(events)
            self._bytes += sum(len(event.value) for event in events)

    def has_room(self, size: int) -> bool:
        """Whether an event of so many bytes would be taken now."""
        return self._events < self._max_events and self._bytes + size <= self._max_bytes

    def refuse(self, name: str) -> int:
        """Count an event that was not taken; how many of its agent's were not, with it."""
        with self._changed:
            agent = self._agent(name)
            agent.refused += 1
            return agent.refused

    def close(self, last: Callable[[Agent], tuple[bytes, bytes]]) -> bool:
        """Take no more; `last` makes each agent's closing event. False: it was closed already."""
        with self._changed:
            if self._closed:
                return False
            self._closed = True
            for agent in self._agents.values():
                if agent.taken:
                    self._append(agent, *last(agent), True)
            wake, self._asleep = self._asleep, None
        if wake is not None:
            wake()
        return True

    def take(self, wake: Callable[[], object] | None) -> list[Event]:
        """Everything in the queue; if nothing, `wake` is called once, by who puts the next event in."""
        with self._changed:
            found = list(self._queue)
            self._queue.clear()
            self._asleep = None if found else wake
            return found

    def acknowledge(self, events: list[Event]) -> None:
        """These are in the log: their room is free."""
        with self._changed:
            for event in events:
                event.agent.acknowledged += 1
                event.agent.closed = event.agent.closed or event.closing
            self._free(events)

    def reject(self, event: Event) -> None:
        """This one can never be sent: its room is free, and it stays unsent in the report."""
        with self._changed:
            self._free([event])

    def drained(self, timeout: float | None) -> bool:
        """Wait until nothing that was taken before is under way; False: not within so many seconds."""
        with self._changed:
            marks = {agent: agent.taken for agent in self._agents.values()}
            self._waiting += 1
            try:
                return self._changed.wait_for(lambda: self._settled(marks), timeout)
            finally:
                self._waiting -= 1

    def reports(self) -> dict[str, AgentReport]:
        """Each agent as it stands."""
        with self._changed:
            return {name: agent.report() for name, agent in self._agents.items()}

    def _agent(self, name: str) -> Agent:
        agent = self._agents.get(name)
        if agent is None:
            agent = self._agents[name] = Agent(self._tenant, name)
        return agent

    def _settled(self, marks: dict[Agent, int]) -> bool:
        if self._events:
            for agent in [agent for agent, mark in marks.items() if agent.settled >= mark]:
                del marks[agent]
        return not self._events or not marks

    def _append(self, agent: Agent, head: bytes, tail: bytes, closing: bool) -> None:
        value = join(head, agent.taken, tail)
        agent.taken += 1
        self._queue.append(Event(agent, value, closing))
        self._events += 1
        self._bytes += len(value)

    def _free(self, events: list[Event]) -> None:
        self._events -= len(events)
        self._bytes -= sum(len(event.value) for event in events)
        for event in events:
            event.agent.settled += 1
        if self._waiting:
            self._changed.notify_all()

    def _wait_for_room(self, size: int, wait: float) -> None:
        begun = time.monotonic()
        self._waiting += 1
        try:
            if size <= self._max_bytes and wait > 0:
                self._changed.wait_for(lambda: self._closed or self.has_room(size), wait)
        finally:
            self._waiting -= 1
        if self._closed:
            raise Closed("this client was closed while an event waited for room in its buffer")
        if not self.has_room(size):
            raise BufferFull(
                f"the buffer holds {self._events} events of {self._bytes} bytes that are not acknowledged"
                f" (at most {self._max_events} and {self._max_bytes}); an event of {size} bytes found no"
                f" room in {time.monotonic() - begun:.1f} s: is Kafka reachable?"
            )
