"""Compares what two sets of rules say of the same actions, and counts it. Pure."""

from judgement.judge import Judgement
from judgement.recorded import Recorded
from judgement.tally import Example, Said, Tally
from schemas.verdict import Effect, Finding, Verdict

PAIRS = 65_536
STOPS = (Effect.deny, Effect.defer, Effect.require_approval)
KINDS = {
    Effect.deny: "denied",
    Effect.require_approval: "approval",
    Effect.defer: "deferred",
    Effect.modify: "modified",
    Effect.allow: "allowed",
}
"""What a change is called, by the new effect."""
ARGUMENTS = "arguments"
"""A change of what an action is modified to."""


class _Pair:
    """Two outcomes that met, how often, and what it means. Holds them, so that their ids stay theirs."""

    __slots__ = ("count", "kind", "new", "old", "reworded")

    def __init__(self, old: Verdict, new: Verdict) -> None:
        self.old, self.new, self.count = old, new, 0
        self.kind = "" if old.effect is new.effect else KINDS[new.effect]
        same = (old.reasons, old.severity, old.tags) == (new.reasons, new.severity, new.tags)
        self.reworded = not self.kind and not same


class Comparison:
    """Counts, in a tally, how outcomes differ."""

    def __init__(self, tally: Tally) -> None:
        """Take the tally."""
        self._tally = tally
        self._pairs: dict[tuple[int, int, int, int], _Pair] = {}

    def compare(self, stored: Recorded, old: Judgement, new: Judgement) -> None:
        """Count one action."""
        was, now = old.verdict, new.verdict
        # reasons are one object for like outcomes, also where the verdict is one action's own
        key = (id(was.reasons), id(now.reasons), id(was.effect), id(now.effect))
        pair = self._pairs.get(key)
        if pair is None:
            if len(self._pairs) >= PAIRS:
                self.count()
            pair = self._pairs[key] = _Pair(was, now)
        pair.count += 1
        if pair.kind:
            self._change(pair.kind, stored, was, now)
        elif was.modified_arguments != now.modified_arguments:
            self._change(ARGUMENTS, stored, was, now)
        elif pair.reworded:
            self._tally.reworded.add((rule_of(was), rule_of(now)), lambda: _between(stored, was, now))
        if was.errors != now.errors:
            self._errors(stored, was, now)
        if old.findings != new.findings:
            self._findings(stored, old, new)

    def _change(self, kind: str, stored: Recorded, was: Verdict, now: Verdict) -> None:
        action = stored.action

        def example() -> Example:
            return _between(stored, was, now)

        self._tally.by_rule.add((kind, rule_of(was), rule_of(now)), example)
        self._tally.by_agent.add((kind, action.tenant, action.agent_id), example)
        self._tally.by_tool.add((kind, action.tool or action.action), example)

    def _errors(self, stored: Recorded, was: Verdict, now: Verdict) -> None:
        raised = [error for error in now.errors if error not in was.errors]
        if not raised:
            self._tally.mended += 1
            return
        self._tally.errors.add(
            (raised[0].partition(": ")[0],), lambda: _between(stored, was, now, "; ".join(raised))
        )

    def _findings(self, stored: Recorded, old: Judgement, new: Judgement) -> None:
        before, after = _named(old.findings), _named(new.findings)
        for groups, here, there in ((self._tally.found, after, before), (self._tally.lost, before, after)):
            for name, finding in here.items():
                if name not in there:
                    note = finding.message
                    groups.add(
                        (finding.detector,),
                        lambda note=note: _between(stored, old.verdict, new.verdict, note),  # type: ignore[misc]
                    )

    def count(self) -> None:
        """Bring the tally up to date with everything that was compared."""
        tally = self._tally
        for pair in self._pairs.values():
            tally.actions += pair.count
            tally.transitions[pair.old.effect.name, pair.new.effect.name] += pair.count
            for rule in {reason[:2] for reason in pair.new.reasons}:
                tally.fired[rule] += pair.count
        self._pairs.clear()


def rule_of(verdict: Verdict) -> str:
    """Which rule decided, as policy/rule."""
    return f"{verdict.reasons[0].policy}/{verdict.reasons[0].rule}"


def _named(findings: tuple[Finding, ...]) -> dict[tuple[str, str], Finding]:
    return {(finding.detector, finding.dedup_key): finding for finding in findings}


def said_of(verdict: Verdict) -> Said:
    """A verdict in short."""
    first = verdict.reasons[0]
    return Said(verdict.effect.name, first.policy, first.rule, first.message, verdict.modified_arguments)


def _between(stored: Recorded, was: Verdict, now: Verdict, note: str = "") -> Example:
    return example_of(stored, said_of(was), said_of(now), note)


def example_of(stored: Recorded, old: Said, new: Said, note: str = "") -> Example:
    """An action, and what was said of it."""
    action = stored.action
    return Example(
        action.event_id,
        action.tenant,
        action.agent_id,
        action.session_id,
        action.received_at,
        action.action,
        action.tool,
        action.resource,
        stored.partition,
        stored.seq,
        old,
        new,
        note,
    )
