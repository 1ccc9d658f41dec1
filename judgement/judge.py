"""The judgement of one action: detect, decide, remember. A pure function."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from detections import activity, sessions, source
from detections.detector import FAILURES
from detections.single import Single
from judgement.rules import SOURCE_BIT, Rules
from judgement.standing import NOTHING
from policies.counting import count, modify
from policies.outcome import FAILED_SEVERITY
from policies.types import RESERVED
from schemas.action import Action
from schemas.verdict import Effect, Finding, Reason, Verdict

Observed = tuple[Single, bytes | None, bytes | None]
"""A detector, its cell before this action, and after observing it."""


class Judgement(NamedTuple):
    """What came of one action.

    Attributes:
        verdict: what was decided; one object for like outcomes, see `Index.decide`.
        changes: the agent's cells that changed, by name. Empty bytes: the cell is needed no more.
        findings: what producers' numbering shows, then what the detectors found, in their order.
    """

    verdict: Verdict
    changes: dict[str, bytes]
    findings: tuple[Finding, ...]


def judge(action: Action, cells: Mapping[str, bytes], rules: Rules) -> Judgement:
    """Judge an action of an agent.

    The producer's numbering is followed and detectors observe the action, the policies decide knowing which
    detections are on, orders that stand may overrule them, then detectors and the counts of the agent, its
    sessions and its limits learn the decision. An action whose number came before says so in its verdict
    (`duplicate_of`), and is judged and counts like any other. No IO, clock, randomness or settings; the
    arguments are not changed.

    A detector that fails (`FAILURES`: its cell is not its own, or the action holds what it cannot use) is
    a recorded error and denies; its cell stays as it was, so that this goes on until someone mends the cell.
    Rules that fail are the index's part. Anything else raised is a bug and passes through.

    Args:
        action: with `received_at` set, never smaller than that of the agent's earlier actions.
        cells: this agent's cells by name; missing and empty ones are a new agent's.
        rules: the compiled bundle.
    """
    errors: list[str] = []
    findings: tuple[Finding, ...] = ()
    active = 0
    changes: dict[str, bytes] = {}
    duplicate_of: str | None = None
    numbered = action.numbered()
    if numbered is not None:
        findings, active, duplicate_of = _follow(action, numbered, cells, changes, errors)
    observed, found, on = _observe(action, cells, rules, errors)
    findings, active = findings + found, active | on
    ruling = rules.index.decide(action, active, cells, rules.spent)
    verdict = ruling.verdict
    if rules.standing is not NOTHING:
        verdict = rules.standing.overrule(action, verdict)
    denied = bool(errors) or verdict.effect is Effect.deny
    settled, completed, failed = _settle(action, denied, observed, cells, rules)
    if failed and not denied:  # then it is denied after all, and all must learn that
        settled, completed, _ = _settle(action, True, observed, cells, rules)
    if errors or failed:
        verdict = _deny(verdict, (*errors, *failed))
    if ruling.modified_arguments is not None:
        verdict = modify(verdict, ruling.modified_arguments)
    if ruling.charges:
        verdict, counted = count(action, verdict, ruling.charges, cells)
        changes.update(counted)
    if duplicate_of is not None:
        verdict = replace(verdict, duplicate_of=duplicate_of)
    changes.update(settled)
    return Judgement(verdict, changes, findings + completed)


def _follow(
    action: Action,
    numbered: source.Numbered,
    cells: Mapping[str, bytes],
    changes: dict[str, bytes],
    errors: list[str],
) -> tuple[tuple[Finding, ...], int, str | None]:
    """Follow the producer's numbering: findings, the rules' bits, and what this is a duplicate of."""
    cell = cells.get(source.CELL)
    try:
        after, found, bits, duplicate_of = source.observe(action, numbered, cell, activity.CELL in cells)
    except FAILURES as error:
        errors.append(_describe(source.CELL, error))
        return (), 0, None
    if after is not cell:
        changes[source.CELL] = after or b""
    return found, bits << SOURCE_BIT, duplicate_of


def _observe(
    action: Action, cells: Mapping[str, bytes], rules: Rules, errors: list[str]
) -> tuple[list[Observed], tuple[Finding, ...], int]:
    """What detectors see before the decision: their cells, findings, and the bits of those that are on."""
    observed: list[Observed] = []
    findings: tuple[Finding, ...] = ()
    active = 0
    for i, detector in enumerate(rules.detectors):
        cell = cells.get(detector.id)
        try:
            after, found, on = detector.observe(action, cell)
        except FAILURES as error:
            errors.append(_describe(detector.id, error))
            continue
        observed.append((detector, cell, after))
        if found:
            findings += found
        if on:
            active |= 1 << i
    return observed, findings, active


def _settle(
    action: Action, denied: bool, observed: list[Observed], cells: Mapping[str, bytes], rules: Rules
) -> tuple[dict[str, bytes], tuple[Finding, ...], list[str]]:
    changes: dict[str, bytes] = {}
    findings: tuple[Finding, ...] = ()
    errors: list[str] = []
    try:
        changes[activity.CELL] = activity.count_action(cells.get(activity.CELL), action.received_at, denied)
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
    for detector, before, cell in observed:
        try:
            after, found = detector.settle(action, denied, cell)
        except FAILURES as error:
            errors.append(_describe(detector.id, error))
            continue
        if after is not before:
            changes[detector.id] = after or b""
        if found:
            findings += found
    return changes, findings, errors


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
