"""What correlate remembers of one partition of agent.folds-by-group, and what a batch makes of it. No IO."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from runtime.errors import Malformed, PraetorError
from schemas.codec import decode, encode
from streams.cells import Keyed
from streams.correlate import budgets
from streams.correlate.groups import LIMIT
from streams.correlate.incidents import (
    Incident,
    Place,
    State,
    Step,
    answered,
    count,
    ordered,
    planned,
    quiet,
    record_of,
)
from streams.correlate.responses import ResponsePolicy
from streams.correlate.thresholds import BUCKET_MS, Thresholds

PROGRESS_KEY = b"\x00progress"
LIMITS = f"{LIMIT}/".encode()


@dataclass
class Outcome:
    """What a batch came to: records of agent.incidents by id and of agent.correlations, progress last."""

    incidents: list[tuple[bytes, bytes]] = field(default_factory=list)
    cells: list[Keyed] = field(default_factory=list)
    told: list[Incident] = field(default_factory=list)


class Memory:
    """The groups of one partition, and where it stands.

    Attributes:
        next_fold: the next record of agent.folds-by-group.
        next_order: the next record of agent.incident-orders.
        sources: by partition of agent.folds the last offset that is counted, and the groups that it
            is counted in so far: a repetition counts nothing.
        clock: the partition's time, milliseconds.
        groups: state by key.
        budgets: state of limits that span agents, by key.
    """

    def __init__(
        self, log_id: str, partition: int, by: Thresholds, policy: ResponsePolicy | None = None
    ) -> None:
        self.log_id = log_id
        self.partition = partition
        self.next_fold = 0
        self.next_order = 0
        self.sources: dict[int, tuple[int, list[str]]] = {}
        self.clock = 0
        self.groups: dict[bytes, State] = {}
        self.budgets: dict[bytes, budgets.State] = {}
        self._by = by
        self._policy = policy
        self._of: dict[str, bytes] = {}  # incident's id -> key
        self._changed: dict[bytes, None] = {}
        self._told: list[Incident] = []
        self._swept = 0

    def read(self, records: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Take what agent.correlations holds, in its order.

        Raises:
            PraetorError: a record is none of ours, or another log's.
        """
        for key, value in records:
            if key is None:
                continue
            if value is None:
                self._put(key, None)
                continue
            try:
                record = decode(value, "correlation")
                state = json.loads(record["state"])
            except (Malformed, ValueError) as error:
                raise PraetorError(f"agent.correlations/{self.partition} is corrupt: {error}") from error
            if record["log_id"] != self.log_id:
                raise PraetorError(
                    f"agent.correlations/{self.partition} is of log {record['log_id']}, not {self.log_id}"
                )
            if key == PROGRESS_KEY:
                self.next_fold, self.next_order = record["folds_offset"], record["orders_offset"]
                self.clock = record["clock"]
                self.sources = {int(p): (at, keys) for p, (at, keys) in state["sources"].items()}
            else:
                self._put(key, state)
        self._changed.clear()

    def fold(self, offset: int, key: bytes, source: tuple[int, int], fold: dict[str, Any]) -> bool:
        """Count the record at `offset`; False where its source is counted already."""
        self.next_fold = offset + 1
        partition, at = source
        last, keys = self.sources.get(partition, (-1, []))
        name = key.decode()
        if at < last or (at == last and name in keys):
            return False
        self.sources[partition] = (at, [*keys, name] if at == last else [name])
        self.clock = max(self.clock, fold["last_at"])
        place = Place(self.log_id, self.partition, offset, self.clock)
        if key.startswith(LIMITS):
            self._spend(key, fold)
            return True
        step = count(self.groups.get(key), key, fold, place, self._by)
        self._take(key, step)
        if step.told:
            self._plan(key)
        return True

    def order(self, offset: int, at: int, order: dict[str, Any]) -> None:
        """Do what an order of agent.incident-orders says, at the broker's time."""
        self.next_order = offset + 1
        self.clock = max(self.clock, at)
        key = self._of.get(order["incident_id"])
        if key is not None:
            self._take(key, quiet(self.groups[key], self.clock, self._by))
            self._take(key, ordered(self.groups.get(key), order, at))

    def incident(self, name: str) -> Incident | None:
        """The open incident of an id."""
        key = self._of.get(name)
        state = self.groups.get(key) if key is not None else None
        return state["incident"] if state else None

    def pending(self) -> list[Incident]:
        """The open incidents with responses that are planned and not yet given."""
        found = [self.groups[key]["incident"] for key in self._of.values()]
        return [one for one in found if any(r["pending"] for r in one["responses"])]

    def answer(self, name: str, responses: list[dict[str, Any]]) -> None:
        """Note what was done about an open incident."""
        key = self._of[name]
        self._take(key, answered(self.groups[key], responses))

    def _spend(self, key: bytes, fold: dict[str, Any]) -> None:
        for item in fold["items"]:
            self.budgets[key] = budgets.spend(self.budgets.get(key), item, self.clock)
        self._changed[key] = None

    def planned_budgets(self) -> list[bytes]:
        """The budgets that are to be told and not yet are."""
        return [key for key, state in self.budgets.items() if state["plan"] is not None]

    def budget_told(self, key: bytes) -> None:
        """A budget's order is given."""
        self.budgets[key] = budgets.told(self.budgets[key])
        self._changed[key] = None

    def _plan(self, key: bytes) -> None:
        """Plan what the response policy asks for, now that a group's incident was told."""
        state = self.groups.get(key)
        incident = state["incident"] if state else None
        if self._policy is None or state is None or incident is None:
            return
        if responses := self._policy.plan(incident, self.clock):
            step = planned(state, [*incident["responses"], *responses])
            if not any(r["pending"] for r in responses):
                step = answered(state, [*incident["responses"], *responses])
            self._take(key, step)

    def is_due(self, now: int) -> bool:
        """Whether something would be over at a moment."""
        return any(_due_at(state, self._by) <= now for state in self.groups.values())

    def settle(self) -> Outcome:
        """Notice what is quiet, and say what is to be written; then this is what the partition is."""
        if self.clock // BUCKET_MS > self._swept:
            self._swept = self.clock // BUCKET_MS
            due = [key for key, state in self.groups.items() if _due_at(state, self._by) <= self.clock]
            for key in [k for k, s in self.budgets.items() if budgets.is_stale(s, self.clock)]:
                del self.budgets[key]
                self._changed[key] = None
            for key in due:
                self._take(key, quiet(self.groups[key], self.clock, self._by))
        outcome = Outcome(told=self._told)
        for told in self._told:
            outcome.incidents.append((told["incident_id"].encode(), encode("incident", record_of(told))))
        for key in self._changed:
            state = self.budgets.get(key) if key.startswith(LIMITS) else self.groups.get(key)
            outcome.cells.append((key, None if state is None else self._encode(state)))
        outcome.cells.append((PROGRESS_KEY, self._encode({"sources": self.sources})))
        self._told, self._changed = [], {}
        return outcome

    def _take(self, key: bytes, step: Step) -> None:
        self._told += step.told
        self._changed[key] = None
        self._put(key, step.state)

    def _put(self, key: bytes, state: State | None) -> None:
        if key.startswith(LIMITS):
            self.budgets.pop(key, None)
            if state is not None:
                self.budgets[key] = state
            return
        before = self.groups.pop(key, None)
        if before and before["incident"]:
            self._of.pop(before["incident"]["incident_id"], None)
        if state is not None:
            self.groups[key] = state
            if state["incident"]:
                self._of[state["incident"]["incident_id"]] = key

    def _encode(self, state: dict[str, Any]) -> bytes:
        record = {
            "log_id": self.log_id,
            "folds_offset": self.next_fold,
            "orders_offset": self.next_order,
            "clock": self.clock,
            "state": json.dumps(state, separators=(",", ":")).encode(),
        }
        return encode("correlation", record)


def _due_at(state: State, by: Thresholds) -> int:
    """When something of a group is over: its incident, or all that its window holds."""
    incident, buckets = state["incident"], state["buckets"]
    if incident is not None:
        return int(incident["updated_at"] + by.quiet_ms)
    return int(buckets[-1][0] * BUCKET_MS + by.window_ms)
