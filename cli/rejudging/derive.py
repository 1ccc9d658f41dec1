"""Derives a decision again: the agent's state of that moment, and the action judged by what ruled then.

The state is the newest snapshot at or before the decision, folded forward: each of the agent's actions since
then is judged again, by the very code that judges live, under the rules and orders that its decision names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cli.rejudging.past import Past
from cli.rejudging.store import Store
from cli.rejudging.stored import Stored
from judgement.engine import ENGINE
from ledger.merkle import HASH_SIZE, Frontier
from runtime.errors import PraetorError
from schemas.topics import CONTROL
from streams.cells import Cells
from streams.partition import Partition, Place
from streams.progress import Progress
from streams.snapshots import DAY_MS, Snapshot


class Missing(PraetorError):
    """Something that the derivation needs is not there any more; the message names it."""


@dataclass(frozen=True)
class Derived:
    """A decision derived again.

    Attributes:
        stored: as it was recorded.
        value: its bytes, derived.
        snapshot: the number that the snapshot precedes from which this began; None: from a new agent.
        folded: how many of the agent's actions were judged again before it.
        strayed: the first of those whose decision came out otherwise; None: none did.
    """

    stored: Stored
    value: bytes
    snapshot: int | None = None
    folded: int = 0
    strayed: int | None = None

    @property
    def equal(self) -> bool:
        """Whether these are the recorded bytes."""
        return self.value == self.stored.value


@dataclass
class _Record:
    """An action as govern consumes it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


@dataclass
class _State:
    """An agent as it stood before the decision of number `before`."""

    partition: Partition
    snapshot: int | None
    before: int
    folded: int = 0
    strayed: int | None = None


class Deriver:
    """Derives decisions of one partition; those of one agent in ascending order go on from each other."""

    def __init__(self, store: Store, past: Past, partition: int) -> None:
        self._store = store
        self._past = past
        self._place = Place(past.log_id, partition, past.partitions)
        self._reached: dict[bytes, _State] = {}

    def derive(self, target: Stored) -> Derived:
        """Derive one decision.

        Raises:
            Missing: something that this needs is gone; the message names it.
            PraetorError: agent.control is not understood.
        """
        self._check(target, "it")
        if target.misrouted:  # touches nobody's state, and none touches it
            return Derived(target, self._step(self._partition({}), target))
        state = self._begin(target)
        self._reached = {}  # until all of it has come right
        self._need_all(target, state.before)
        for stored in self._store.of_agent(target, state.before, target.seq):
            if not stored.misrouted:
                self._check(stored, f"what precedes {target.name}")
                came = self._step(state.partition, stored)
                state.folded += 1
                if state.strayed is None and came != stored.value:
                    state.strayed = stored.seq
        value = self._step(state.partition, target)
        derived = Derived(target, value, state.snapshot, state.folded, state.strayed)
        state.before, state.folded = target.seq + 1, state.folded + 1
        self._reached = {target.agent: state}
        return derived

    def _partition(self, agents: dict[bytes, Cells]) -> Partition:
        return Partition(self._place, Progress(self._place.log_id), agents)

    def _begin(self, target: Stored) -> _State:
        """The newest known state of the agent at or before the decision."""
        found = [s for s in self._store.snapshots(target) if s.seq <= target.seq]
        newest = found[-1] if found else None
        reached = self._reached.get(target.agent)
        if reached is not None and (newest.seq if newest else 0) < reached.before <= target.seq:
            return reached
        if newest is not None:
            return self._from(target, newest)
        first = self._first(target)
        return _State(self._partition({}), None, first)

    def _from(self, target: Stored, snapshot: Snapshot) -> _State:
        return _State(self._partition({target.agent: dict(snapshot.cells)}), snapshot.seq, snapshot.seq)

    def _first(self, target: Stored) -> int:
        """Where an agent without a snapshot begins: it was new on the day of the decision.

        Raises:
            Missing: it was not, or that cannot be told.
        """
        day = target.record["received_at"] // DAY_MS * DAY_MS
        first = self._store.since(day, target.seq + 1)
        agent, place = target.agent.decode(), self._store.place
        gone = f"no snapshot of agent {agent} at or before {target.name} is kept in {place}"
        if first and self._store.absent(first - 1, first) is not None:
            raise Missing(
                f"{gone}, and decisions before seq {first} are gone: what the agent did before is not known"
            )
        earlier = self._store.earlier(target, first)
        if earlier is not None:
            raise Missing(
                f"{gone}, but it acted before that day (seq {earlier}): the snapshot is gone, or was never"
                " taken, by a version of praetor before engine 3"
            )
        return first

    def _need_all(self, target: Stored, first: int) -> None:
        absent = self._store.absent(first, target.seq)
        if absent is not None:
            raise Missing(
                f"decisions from seq {absent} on, between where the agent's state is known (seq {first}) and"
                f" {target.name}, are gone from {self._store.place}: some may be this agent's"
            )

    def _check(self, stored: Stored, what: str) -> None:
        engine, erased = stored.record["engine"], stored.erased
        if engine != ENGINE:
            raise Missing(
                f"{stored.name} was judged by engine {engine[:32]}, and this version of praetor has engine"
                f" {ENGINE}: {what} can be derived only by a version with that engine"
            )
        if erased:
            raise Missing(
                f"the text of {stored.name} was erased from {self._store.place} ({', '.join(erased)}):"
                f" without it {what} cannot be judged again"
            )
        at, bundle = stored.record["control_offset"], stored.record["bundle"]
        try:
            found = self._past.at(at).digest(stored.agent)
        except PraetorError as error:
            raise Missing(f"{stored.name}: {error}") from error
        if found != bundle:
            raise Missing(
                f"{stored.name} was judged by bundle {bundle} under control offset {at}, but by what"
                f" {CONTROL.name} holds up to there {found or 'no bundle'} is in force: the order that put it"
                " in force is missing, or signed by a key that is not trusted here (PRAETOR_KEYS_DIR)"
            )

    def _step(self, partition: Partition, stored: Stored) -> bytes:
        """Judge one action as it was judged; the partition's state goes on."""
        record, place = stored.record, self._place
        moment = self._past.at(record["control_offset"])
        if moment.rules is None:
            raise RuntimeError("a bundle was looked for before")
        partition.progress = replace(
            Progress(place.log_id), frontier=_numbered(stored.seq), received_at=record["received_at"]
        )
        partition.under(moment.rules, record["control_offset"], moment.canary)
        batch = partition.judge(
            [_Record(record["source_offset"], record["received_at"], stored.key, stored.action)]
        )
        partition.commit(batch)
        if not batch.decisions:
            raise PraetorError(f"{stored.name}: what is recorded as its action is none")
        return batch.decisions[0][1] or b""


def _numbered(seq: int) -> Frontier:
    """A ledger whose next decision has this number; what came before it is not asked for."""
    return Frontier(seq, (bytes(HASH_SIZE),) * seq.bit_count())
