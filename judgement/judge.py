"""The judgement of one action: detect, decide, remember. A pure function."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from detections import activity, sessions
from detections.detector import FAILURES
from detections.engine import SETTLED, Settled
from detections.gathering import Seen
from judgement.rules import Rules
from judgement.standing import NOTHING
from policies.counting import count, modify
from policies.limits import Usage, usage
from policies.outcome import FAILED_SEVERITY
from policies.signals import QUIET, Signals
from policies.types import RESERVED
from schemas.action import Action
from schemas.verdict import Effect, Finding, Reason, Verdict


class Judgement(NamedTuple):
    """What came of one action.

    Attributes:
        verdict: what was decided; one object for like outcomes, see `Index.decide`.
        changes: the agent's cells that changed, by name. Empty bytes: the cell is needed no more.
        findings: what producers' numbering shows, then what the detectors found, in their order; muted ones
            too.
        risk: 0 to 1: how likely the action is the work of a hijacked agent.
        usage: what the action counts of limits that span agents.
    """

    verdict: Verdict
    changes: dict[str, bytes]
    findings: tuple[Finding, ...]
    risk: float = 0.0
    usage: tuple[Usage, ...] = ()


def judge(action: Action, cells: Mapping[str, bytes], rules: Rules) -> Judgement:
    """Judge an action of an agent.

    The bundle's detections observe the action, the policies decide knowing which are on, orders that stand
    may overrule them, then detectors and the counts of the agent, its sessions and its limits learn the
    decision. An action whose number came before says so in its verdict (`duplicate_of`), and is judged and
    counts like any other. No IO, clock, randomness or settings; the arguments are not changed.

    A detector that fails (`FAILURES`: its cell is not its own, or the action holds what it cannot use) is
    a recorded error and denies; its cell stays as it was, so that this goes on until someone mends the cell.
    What a detector had to cut is a recorded error, and `detections-cut` is on. Rules that fail are the
    index's part. Anything else raised is a bug and passes through.

    Args:
        action: with `received_at` set, never smaller than that of the agent's earlier actions.
        cells: this agent's cells by name; missing and empty ones are a new agent's.
        rules: the compiled bundle.
    """
    seen = rules.detections.observe(action, cells)
    signals = Signals(seen.on, seen.recent, seen.risk) if seen.on or seen.recent or seen.risk else QUIET
    ruling = rules.index.decide(action, signals, cells, rules.spent)
    verdict = ruling.verdict
    if rules.standing is not NOTHING:
        verdict = rules.standing.overrule(action, verdict)
    denied = bool(seen.failures) or verdict.effect is Effect.deny
    changes, settled, failed = _settle(action, denied, seen, cells, rules)
    if failed and not denied:  # then it is denied after all, and all must learn that
        changes, settled, _ = _settle(action, True, seen, cells, rules)
    if seen.failures or failed:
        verdict = _deny(verdict, (*seen.failures, *failed))
    if seen.told or settled.told:
        verdict = replace(verdict, errors=(*verdict.errors, *seen.told, *settled.told))
    if ruling.modified_arguments is not None:
        verdict = modify(verdict, ruling.modified_arguments)
    used: tuple[Usage, ...] = ()
    if ruling.charges:
        verdict, counted = count(action, verdict, ruling.charges, cells)
        used = usage(action, ruling.charges) if counted else ()
        changes.update(counted)
    if seen.duplicate_of is not None:
        verdict = replace(verdict, duplicate_of=seen.duplicate_of)
    return Judgement(verdict, changes, seen.findings + settled.findings, seen.risk, used)


def _settle(
    action: Action, denied: bool, seen: Seen, cells: Mapping[str, bytes], rules: Rules
) -> tuple[dict[str, bytes], Settled, list[str]]:
    """Count the action, and tell the detectors what was decided: all that changed, and what failed."""
    changes: dict[str, bytes] = {}
    errors: list[str] = []
    try:
        used = action.used() if rules.detections.meters else None
        cell = cells.get(activity.CELL)
        changes[activity.CELL] = activity.count_action(cell, action.received_at, denied, used)
    except FAILURES as error:
        errors.append(_describe(activity.CELL, error))
    if rules.index.uses_session:
        cell = cells.get(sessions.CELL)
        try:
            changes[sessions.CELL] = sessions.count_session(
                cell, action.session_id, action.received_at, denied
            )
        except FAILURES as error:
            errors.append(_describe(sessions.CELL, error))
    if seen.changes:
        changes.update(seen.changes)
    settled = rules.detections.settle(action, denied, cells, seen)
    if settled is not SETTLED:
        changes.update(settled.changes)
        errors += settled.failures
    return changes, settled, errors


def _describe(cell: str, error: Exception) -> str:
    return f"{cell}: {type(error).__name__}: {error}"


def _deny(verdict: Verdict, errors: tuple[str, ...]) -> Verdict:
    """The same verdict, denied for what failed; a rule that denies anyway stays the deciding one."""
    failures = tuple(
        Reason(RESERVED, "error", Effect.deny, f"what must be known could not be: {e}") for e in errors
    )
    first = (verdict.reasons, failures) if verdict.effect is Effect.deny else (failures, verdict.reasons)
    return replace(
        verdict,
        effect=Effect.deny,
        reasons=first[0] + first[1],
        severity=max(verdict.severity, FAILED_SEVERITY),
        errors=verdict.errors + errors,
    )
