"""One partition's memory, and what a batch of actions makes of it. No IO: the pipeline sends it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from judgement.decision import DecisionWriter
from judgement.engine import ENGINE
from judgement.judge import judge
from judgement.rules import Rules
from runtime.errors import Malformed
from schemas.action import Action, read_action
from schemas.keys import agent_key
from schemas.limits import MAX_VALUE_BYTES, oversize
from schemas.verdict import Effect, Finding, Verdict
from streams.canary import Canary
from streams.cells import Cells, Keyed, changed
from streams.dead_letters import DeadLetter, Oversized, dead_letter
from streams.folds import Folds
from streams.progress import Progress
from streams.routing import Routes
from streams.snapshots import is_due, snapshot_record
from streams.threats import threat_record

EFFECT_NAMES = {effect: effect.name for effect in Effect}


class SourceRecord(Protocol):
    """What judging needs of a consumed record; times are the broker's append times in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Place(NamedTuple):
    """Which partition of which log, and of how many."""

    log_id: str
    partition: int
    partitions: int


@dataclass
class Batch:
    """What one transaction holds: records by topic, in order, and where the partition stands afterwards."""

    after: Progress
    decisions: list[Keyed] = field(default_factory=list)
    threats: list[Keyed] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    cells: list[Keyed] = field(default_factory=list)
    snapshots: list[Keyed] = field(default_factory=list)
    folds: list[Keyed] = field(default_factory=list)
    effects: dict[str, int] = field(default_factory=dict)
    findings: dict[tuple[str, bool], int] = field(default_factory=dict)
    errors: int = 0


class Partition:
    """State, progress and ledger of one partition.

    `agents` maps an agent's key to its cells. A batch changes it; `commit` keeps the change, `rollback`
    restores what was there, bytes for bytes.
    """

    def __init__(self, place: Place, progress: Progress, agents: dict[bytes, Cells]) -> None:
        self.place = place
        self.progress = progress
        self.agents = agents
        self._undo: dict[bytes, Cells | None] = {}
        self._routes = Routes(place.partition, place.partitions, agents)
        self._writer = DecisionWriter(place.log_id, place.partition)
        self._rules: Rules | None = None
        self._control_offset = -1
        self._canary: Canary | None = None
        # the stable rules and their writer, then the canary's
        self._sides: list[tuple[Rules, DecisionWriter]] = []

    def under(self, rules: Rules, control_offset: int, canary: Canary | None = None) -> None:
        """Judge what comes next by these rules, as of this control offset; a canary's agents by its."""
        now = [rules] if canary is None else [rules, canary.rules]
        # by identity: rules are large
        same = [id(side) for side, _ in self._sides] == [id(side) for side in now]
        if same and control_offset == self._control_offset and _share(canary) == _share(self._canary):
            return
        self._canary, self._control_offset = canary, control_offset
        self._sides = [(r, DecisionWriter(self.place.log_id, self.place.partition)) for r in now]
        for side, writer in self._sides:
            writer.under(side.digest, control_offset)
        self._rules, self._writer = self._sides[0]

    def judge(self, records: Sequence[SourceRecord], beyond: int = 0) -> Batch:
        """Judge a batch: one decision or one dead letter for each record.

        `beyond` is an offset before which nothing is left to judge; 0 says nothing.

        Raises:
            RuntimeError: no rules were given, or the last batch was neither committed nor rolled back.
        """
        if self._undo:
            raise RuntimeError("the last batch was neither committed nor rolled back")
        before = self.progress
        batch = Batch(after=before)
        folds = Folds(self.place.log_id, self.place.partition)
        received_at, seq = before.received_at, before.next_seq
        leaves: list[bytes] = []
        for record in records:
            if record.timestamp > received_at:
                received_at = record.timestamp
            try:
                action = _read(record, received_at)
            except Malformed as reason:
                batch.dead_letters.append(
                    dead_letter(self.place.log_id, self.place.partition, record, received_at, reason)
                )
                continue
            if self._canary is not None:
                self._choose(self._canary, action)
            verdict = self._judge_one(action, record, (batch, folds), seq)
            decision, leaf = self._writer.write(action, verdict, record.offset, seq)
            batch.decisions.append((record.key, decision))
            leaves.append(leaf)
            seq += 1
        batch.after = replace(
            before,
            next_source_offset=records[-1].offset + 1 if records else max(before.next_source_offset, beyond),
            frontier=before.frontier.extend(leaves),
            received_at=received_at,
            control_offset=max(self._control_offset, before.control_offset),
            engine=ENGINE,
        )
        batch.folds = folds.records()
        batch.cells = [
            record for key, old in self._undo.items() for record in changed(key, old or {}, self.agents[key])
        ]
        return batch

    def _choose(self, canary: Canary, action: Action) -> None:
        key = self._routes.key(action) or agent_key(action.tenant, action.agent_id)
        self._rules, self._writer = self._sides[canary.takes(key)]

    def _judge_one(
        self, action: Action, record: SourceRecord, into: tuple[Batch, Folds], seq: int
    ) -> Verdict:
        batch, folds = into
        key = self._routes.get(action.agent) or self._routes.key(action)
        if not key or key != record.key:  # an empty key is no agent's
            batch.effects["deny"] = batch.effects.get("deny", 0) + 1
            return self._routes.misrouted(action, record.key)
        rules = self._rules
        if rules is None:
            raise RuntimeError("no rules to judge by: call under first")
        cells = self.agents.get(key)
        if cells and is_due(cells, action.received_at):
            self._snapshot(action, record, batch, seq, cells)
        judged = judge(action, cells or {}, rules)
        verdict, changes, findings, _, usage = judged
        if changes:
            if key not in self._undo:
                self._undo[key] = cells
            after = {**cells, **changes} if cells else changes
            if b"" in changes.values():
                after = {n: v for n, v in after.items() if v}
            self.agents[key] = after
        if findings:
            self._raise(action, record, batch, seq, findings)
        if findings or usage or verdict.effect is Effect.deny:
            folds.add(action, record.offset, judged)
        effect = EFFECT_NAMES[verdict.effect]
        batch.effects[effect] = batch.effects.get(effect, 0) + 1
        if verdict.errors:
            batch.errors += len(verdict.errors)
        return verdict

    def _raise(
        self, action: Action, record: SourceRecord, batch: Batch, seq: int, findings: Sequence[Finding]
    ) -> None:
        """Make threats of what was found."""
        place = {
            "log_id": self.place.log_id,
            "partition": self.place.partition,
            "source_offset": record.offset,
            "seq": seq,
        }
        digest = self._rules.digest if self._rules else ""
        for finding in findings:
            batch.threats.append((record.key, threat_record(place, action, finding, digest)))
            kind = (finding.detector, finding.muted_by is not None)
            batch.findings[kind] = batch.findings.get(kind, 0) + 1

    def _snapshot(self, action: Action, record: SourceRecord, batch: Batch, seq: int, cells: Cells) -> None:
        place = {
            "log_id": self.place.log_id,
            "partition": self.place.partition,
            "seq": seq,
            "source_offset": record.offset,
            "received_at": action.received_at,
            "tenant": action.tenant,
            "agent_id": action.agent_id,
            "control_offset": self._control_offset,
            "engine": ENGINE,
        }
        value = snapshot_record(place, cells)
        if value is not None:
            batch.snapshots.append((record.key, value))

    def commit(self, batch: Batch) -> None:
        """The transaction is on the broker: this is what the partition is now."""
        self.progress = batch.after
        self._undo.clear()

    def rollback(self) -> None:
        """The transaction did not happen: restore every cell that it changed."""
        for key, old in self._undo.items():
            if old is None:
                del self.agents[key]
            else:
                self.agents[key] = old
        self._undo.clear()


def _share(canary: Canary | None) -> float:
    return 0 if canary is None else canary.share


def _read(record: SourceRecord, received_at: int) -> Action:
    # what is usual is seen at once to be within both limits
    if record.headers or len(record.value or b"") + len(record.key or b"") > MAX_VALUE_BYTES:
        why = oversize(record.key, record.value, record.headers)
        if why:
            raise Oversized(why)
    return read_action(record.value, received_at)
