"""From the rules that matched to the verdict: which decides, and what is said of it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from policies.bitset import bits, lowest
from policies.conditions import Demand
from policies.edits import Edit
from policies.rest import Rest, no_rest, resting
from policies.rule import Rule
from policies.types import RESERVED
from schemas.verdict import RANK, Effect, PolicyMode, Reason, Severity, Verdict

MOST = 16
"""Reasons and errors named in a verdict; of more, the number is told."""

DEFAULT = Reason(
    RESERVED,
    "default",
    Effect.deny,
    "no rule allows this action, and what no rule allows is denied",
)
DEFAULT_SEVERITY = Severity.low
FAILED_SEVERITY = Severity.high
SEVERITY_OF_EFFECT = {Effect.allow: Severity.informational}
STRONGEST_FIRST = sorted((e for e in Effect if e), key=lambda e: -RANK[e])


class CompiledRule(NamedTuple):
    """A rule ready to judge: what it says when it matches, and what it demands beside its patterns."""

    reason: Reason
    severity: Severity
    tags: tuple[str, ...]
    enforced: bool
    on_error: Effect
    demand: Demand | None
    edits: tuple[Edit, ...]


class Failure(NamedTuple):
    """A rule that could not be judged, and why."""

    rule: int
    why: str


class Outcome(NamedTuple):
    """What some matched rules come to.

    Attributes:
        verdict: one object for like outcomes.
        editing: the rules whose edits are to be made to the arguments; none where the action is denied.
    """

    verdict: Verdict
    editing: tuple[int, ...]


def compile_rule(policy: str, enforced: bool, rule: Rule, demand: Demand | None) -> CompiledRule:
    """Make a rule ready; a shadow policy's message says so."""
    effect = Effect[rule.effect]
    severity = Severity[rule.severity] if rule.severity else SEVERITY_OF_EFFECT.get(effect, Severity.medium)
    message = rule.message if enforced else f"shadow: {rule.message}"
    reason = Reason(policy, rule.id, effect, message)
    edits = tuple(rule.modify or ())
    return CompiledRule(reason, severity, tuple(rule.tags), enforced, Effect[rule.on_error], demand, edits)


def deciding_order(rule: CompiledRule, priority: int) -> tuple[bool, int, int]:
    """The sort key of rules: enforced before shadow, the stronger effect first, the higher priority first."""
    return not rule.enforced, -RANK[rule.reason.effect], -priority


class Composer:
    """Makes verdicts of bit sets of matched rules; bit 0 is the rule that decides before all others."""

    def __init__(self, rules: Sequence[CompiledRule], rest: Rest = no_rest) -> None:
        """Take the rules in deciding order; `rest` is called after each step for one."""
        self._rules = rules
        self._enforced = bits(i for i, r in enumerate(rules) if r.enforced)
        self._effects = [
            (e, bits(i for i, r in resting(enumerate(rules), rest) if r.enforced and r.reason.effect is e))
            for e in STRONGEST_FIRST
        ]
        self._severe = [
            (s, bits(i for i, r in resting(enumerate(rules), rest) if r.enforced and r.severity is s))
            for s in sorted(Severity, reverse=True)
        ]

    def compose(self, matched: int, failures: tuple[Failure, ...] = ()) -> Outcome:
        """The outcome of the rules that matched and those that failed.

        A rule that fails has the effect of its `on_error`: it cannot be known what it would have said. A
        shadow policy's failure is recorded only.
        """
        rules = self._rules
        failed = [f for f in failures if rules[f.rule].enforced]
        silent = not failed and not matched & self._enforced
        entries: list[tuple[Reason, int]] = [(DEFAULT, -1)] * silent
        for effect, places in self._effects:
            entries += [(rules[i].reason, i) for i in lowest(matched & places, MOST)]
            fallen = [f for f in failed if rules[f.rule].on_error is effect]
            entries += [(_failed_reason(rules[f.rule], f.why), f.rule) for f in fallen[:MOST]]
        entries += [(rules[i].reason, i) for i in lowest(matched & ~self._enforced, MOST)]
        more = matched.bit_count() + len(failed) + silent - MOST
        reasons = tuple(reason for reason, _ in entries[:MOST])
        if more > 0:
            reasons += (Reason(RESERVED, "more", Effect.unknown, f"{more} more rules matched"),)
        verdict = Verdict(
            effect=reasons[0].effect,
            policy_mode=PolicyMode.enforce,
            reasons=reasons,
            severity=self._severity(matched, bool(failed), silent),
            tags=self._tags(i for _, i in entries[:MOST]),
            errors=_errors(rules, failures),
        )
        return Outcome(verdict, () if verdict.effect is Effect.deny else self._editing(matched))

    def _editing(self, matched: int) -> tuple[int, ...]:
        modifying = next(places for effect, places in self._effects if effect is Effect.modify)
        return tuple(lowest(matched & modifying, len(self._rules)))

    def _severity(self, matched: int, failed: bool, silent: bool) -> Severity:
        floor = FAILED_SEVERITY if failed else DEFAULT_SEVERITY if silent else Severity.unknown
        return next((s for s, places in self._severe if s > floor and matched & places), floor)

    def _tags(self, named: Iterable[int]) -> tuple[str, ...]:
        rules = [self._rules[i] for i in named if i >= 0]
        return tuple(dict.fromkeys(tag for r in rules if r.enforced for tag in r.tags))


def _failed_reason(rule: CompiledRule, why: str) -> Reason:
    return Reason(rule.reason.policy, rule.reason.rule, rule.on_error, f"the rule could not be judged: {why}")


def _errors(rules: Sequence[CompiledRule], failures: tuple[Failure, ...]) -> tuple[str, ...]:
    named = [f"{rules[f.rule].reason.policy}/{rules[f.rule].reason.rule}: {f.why}" for f in failures[:MOST]]
    if len(failures) > MOST:
        named.append(f"{len(failures) - MOST} more rules could not be judged")
    return tuple(named)
