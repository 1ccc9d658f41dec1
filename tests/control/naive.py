"""Orders looked at one by one: what `judgement.standing.Standing` must equal."""

from collections.abc import Sequence

from judgement.standing_order import StandingOrder, Target
from schemas.action import Action
from schemas.verdict import Effect, Reason, Verdict


def is_of(target: Target, action: Action) -> bool:
    """Whether an action is of a target."""
    names = {
        "tenant": action.tenant,
        "agent": action.agent_id,
        "session": action.session_id,
        "tool": action.tool,
        "tool_server": action.get("tool_server"),
    }
    return all(wanted is None or names[name] == wanted for name, wanted in target._asdict().items())


def lasts(order: StandingOrder) -> float:
    return float("inf") if order.expires_at is None else order.expires_at


def longest(orders: Sequence[StandingOrder]) -> list[StandingOrder]:
    """Of each target the order that lasts longest, of equals the first."""
    best: dict[Target, StandingOrder] = {}
    for order in orders:
        if order.target not in best or lasts(order) > lasts(best[order.target]):
            best[order.target] = order
    return sorted(best.values(), key=lambda order: order.offset)


def liftable(verdict: Verdict) -> bool:
    first = verdict.reasons[0]
    if any(e.startswith(f"{r.policy}/{r.rule}: ") for r in verdict.reasons for e in verdict.errors):
        return False
    if verdict.effect is Effect.deny:
        return (first.policy, first.rule) == ("bundle", "default")
    return verdict.effect in (Effect.require_approval, Effect.defer)


def overruled(
    orders: Sequence[StandingOrder], action: Action, verdict: Verdict
) -> tuple[Effect, tuple[Reason, ...]]:
    """The effect, and the reasons that stand before the policies'."""
    now = action.received_at
    mine = [o for o in orders if is_of(o.target, action) and (o.expires_at is None or now < o.expires_at)]
    kills = longest([o for o in mine if o.kind == "kill"])
    held = longest([o for o in mine if o.kind == "quarantine"])
    grants = sorted((o for o in mine if o.kind == "grant" and o.covers(action)), key=lambda o: o.offset)
    through = [o for o in grants if o.through_quarantine]
    passes = verdict.effect in (Effect.allow, Effect.modify)
    if kills:
        return Effect.deny, tuple(o.because for o in (*kills, *held))
    if held and through and (passes or liftable(verdict)):
        effect = verdict.effect if passes else Effect.allow
        return effect, tuple(o.because for o in (through[0], *held))
    if held:
        return Effect.deny, tuple(o.because for o in held)
    if grants and liftable(verdict):
        return Effect.allow, (grants[0].because,)
    return verdict.effect, ()
