"""An explanation in words: what decided, and what would have to change for the action to be allowed."""

from collections.abc import Iterator

from policies.explaining.explain import Account, Explanation
from policies.explaining.steps import Step
from schemas.verdict import RANK, Effect

NEAREST = 3
DONE = {
    Effect.allow: "allowed",
    Effect.modify: "allowed with modified arguments",
    Effect.deny: "denied",
    Effect.require_approval: "held until somebody approves it",
    Effect.defer: "deferred",
}
_PASSES = (Effect.allow, Effect.modify)


def deciding(told: Explanation) -> Account | None:
    """The rule that decided; None where none did, and the default denied."""
    first = told.verdict.reasons[0]
    name = f"{first.policy}/{first.rule}"
    return next((a for a in told.accounts if a.name == name and a.status != "unmatched"), None)


def blockers(told: Explanation) -> list[Account]:
    """The enforced rules that hold the action up: each of them would have to say otherwise."""
    return [a for a in told.accounts if a.enforced and a.status != "unmatched" and a.effect not in _PASSES]


def nearest(told: Explanation) -> list[Account]:
    """The allowing rules that came closest: they speak of such actions, and fewest of their keys fail.

    A rule for other actions is near to nothing; it is left out.
    """
    allowing = [a for a in told.accounts if a.enforced and a.rule.effect == "allow" and a.missing]
    close = [a for a in allowing if all(step.key != "actions" for step in a.missing)]
    return sorted(close, key=lambda a: (len(a.missing), -len(a.steps)))[:NEAREST]


def tell_decision(told: Explanation) -> Iterator[str]:
    """What was decided, by what, and why that won."""
    done, first = DONE[told.verdict.effect], told.verdict.reasons[0]
    by = deciding(told)
    if by is None:
        yield f"{done} by the default: {first.message}"
        return
    yield f"{done} by {by.name}: {first.message}"
    if by.status == "failed":
        yield f"a rule that cannot be judged is never 'no match': its on_error says {by.rule.on_error}"
    weaker = [a for a in told.accounts if a.enforced and a.status != "unmatched" and _is_weaker(a, by)]
    if weaker:
        names = ", ".join(f"{a.name} ({a.effect.name})" for a in weaker[:NEAREST])
        more = f" and {len(weaker) - NEAREST} more" if len(weaker) > NEAREST else ""
        yield f"{by.effect.name} wins over {names}{more}, which matched too; no priority changes that"
    if told.verdict.modified_arguments is not None:
        yield f"the arguments to use: {told.verdict.modified_arguments}"
    for name, left in told.verdict.limits_remaining.items():
        yield f"left of the limit of {name}: {left:g}"


def _is_weaker(account: Account, by: Account) -> bool:
    return RANK[account.effect] < RANK[by.effect]


def tell_changes(told: Explanation) -> Iterator[str]:
    """What would have to be otherwise for the action to be allowed; nothing where it is."""
    if told.verdict.effect in _PASSES:
        return
    for account in blockers(told):
        if account.status == "failed":
            yield f"{account.name} must be judged: {account.why}"
        else:
            yield f"{account.name} must not match: it does by {_held_by(account)}"
    if any(a.enforced and a.status == "matched" and a.effect in _PASSES for a in told.accounts):
        return
    close, lead = (
        nearest(told),
        "and some rule must allow it" if blockers(told) else "some rule must allow it",
    )
    if not close:
        yield f"{lead}: there is none for the action {told.action.action}"
        return
    yield f"{lead}; nearest are:"
    for account in close:
        keys = "; ".join(tell_step(step) for step in account.missing)
        yield f"  {account.name}: {keys}"


def _held_by(account: Account) -> str:
    told = [f"{s.key} {s.by}" if s.by else s.key for s in account.steps]
    return ", ".join(told) or "everything, as it has no key"


def tell_step(step: Step) -> str:
    """One key in a line."""
    if step.failed:
        return f"{step.key} could not be judged: {step.failed}" + (f" ({step.saw})" if step.saw else "")
    if step.held:
        by = f" {step.by}" if step.by else f" {step.asked}"
        return (
            f"{step.key}{by} fits {step.saw}"
            if step.key not in _SENTENCES
            else f"{step.key} holds: {step.saw}"
        )
    if step.key == "when":
        return (
            f"when does not hold, by {step.by} ({step.saw})" if step.saw else f"when does not hold: {step.by}"
        )
    if step.key == "limit":
        return f"limit {step.asked} is not reached: {step.saw}"
    if step.key.startswith("fields."):
        return f"{step.key} is {step.saw}, not {step.by}"
    return f"{step.key} asks for {step.asked}; it is {step.saw}"


_SENTENCES = ("when", "limit")
