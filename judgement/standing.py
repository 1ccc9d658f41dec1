"""Orders that stand over the rules: kills, quarantines, grants. Pure; found by hash, however many there are.

Each names a target by exact names. A kill denies all that its target does. A quarantine denies it but for
what a grant that goes through quarantines covers. A grant lifts what nobody decided against: the default
deny, an approval or a deferral that is asked for; never a rule's deny, an error, or a kill.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import NamedTuple

from judgement.standing_order import Key, StandingOrder, TargetKind
from policies.outcome import DEFAULT
from policies.types import RESERVED
from schemas.action import Action
from schemas.verdict import Effect, Reason, Severity, Verdict

MADE_LIMIT = 4_096
MORE = Reason(RESERVED, "more", Effect.unknown, "")


class Placed(NamedTuple):
    """What stands at one target: of kills and of quarantines the one that lasts longest, and all grants."""

    kill: StandingOrder | None = None
    quarantine: StandingOrder | None = None
    grants: tuple[StandingOrder, ...] = ()

    def with_(self, order: StandingOrder) -> "Placed":
        """The same with one more order, given after those that are here."""
        if order.kind == "grant":
            return self._replace(grants=(*self.grants, order))
        if order.kind == "kill":
            return self._replace(kill=_longer(self.kill, order))
        return self._replace(quarantine=_longer(self.quarantine, order))


def _longer(first: StandingOrder | None, second: StandingOrder) -> StandingOrder:
    return second if first is None or _end(first) < _end(second) else first


def _end(order: StandingOrder) -> float:
    return inf if order.expires_at is None else order.expires_at


class Standing:
    """All orders that stand; never changes. Compared by identity."""

    def __init__(self, placed: Mapping[TargetKind, Mapping[Key, Placed]]) -> None:
        """Take what stands at each target, by the target's kind and key. The mappings are not copied."""
        self._fleet = placed.get("fleet", {}).get(())
        self._tenants = placed.get("tenant", {})
        self._agents = placed.get("agent", {})
        self._sessions = placed.get("session", {})
        self._tools = placed.get("tool", {})
        self._names = {key[0] for key in self._tools}
        self._made: dict[tuple[Verdict, tuple[StandingOrder, ...], bool], Verdict] = {}

    def overrule(self, action: Action, verdict: Verdict) -> Verdict:
        """What becomes of the policies' verdict: the same object where no order has a say in it.

        Like verdicts under like orders become one object, as long as a bounded memo holds it.
        """
        found = self._at(action)
        if not found:
            return verdict
        now = action.received_at
        kills = [p.kill for p in found if p.kill is not None and p.kill.stands(now)]
        held = [p.quarantine for p in found if p.quarantine is not None and p.quarantine.stands(now)]
        if kills:
            return self._make(verdict, (*_given(kills), *_given(held)), False)
        if held:
            through = self._grant(found, action, through=True)
            if through is not None and (may_pass(verdict) or may_lift(verdict)):
                return self._make(verdict, (through, *_given(held)), True)
            return self._make(verdict, tuple(_given(held)), False)
        if may_lift(verdict):
            grant = self._grant(found, action, through=False)
            if grant is not None:
                return self._make(verdict, (grant,), True)
        return verdict

    def _at(self, action: Action) -> list[Placed]:
        """What stands at the targets that this action is of."""
        found = [
            self._fleet,
            self._tenants.get((action.tenant,)) if self._tenants else None,
            self._agents.get((action.tenant, action.agent_id)) if self._agents else None,
        ]
        if self._sessions and action.session_id is not None:
            found.append(self._sessions.get((action.tenant, action.agent_id, action.session_id)))
        if action.tool in self._names:
            server = action.get("tool_server")
            servers = (None,) if server is None else (None, server)
            found += [self._tools.get((action.tool, s, t)) for s in servers for t in (None, action.tenant)]
        return [placed for placed in found if placed is not None]

    @staticmethod
    def _grant(found: list[Placed], action: Action, through: bool) -> StandingOrder | None:
        """The first given of the grants that cover an action."""
        covering = [
            grant
            for placed in found
            for grant in placed.grants
            if grant.stands(action.received_at)
            and (grant.through_quarantine or not through)
            and grant.covers(action)
        ]
        return min(covering, key=_offset, default=None)

    def _make(self, verdict: Verdict, orders: tuple[StandingOrder, ...], granted: bool) -> Verdict:
        key = (verdict, orders, granted)
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= MADE_LIMIT:
                self._made.clear()
            made = self._made[key] = (lifted if granted else denied)(verdict, orders)
        return made


NOTHING = Standing({})
"""No order stands; who judges asks for this very object first."""


def denied(verdict: Verdict, orders: tuple[StandingOrder, ...]) -> Verdict:
    """The verdict, denied by kills and quarantines, which are its first reasons."""
    least = Severity.critical if orders[0].kind == "kill" else Severity.high
    return replace(
        verdict,
        effect=Effect.deny,
        reasons=(*(o.because for o in orders), *verdict.reasons),
        severity=max(verdict.severity, least),
        modified_arguments=None,
        approval_id=None,
    )


def lifted(verdict: Verdict, orders: tuple[StandingOrder, ...]) -> Verdict:
    """The verdict, let through by a grant, which is its first reason; what was lifted follows.

    Whether it is modified is seen later, by who holds the arguments.
    """
    return replace(
        verdict,
        effect=verdict.effect if may_pass(verdict) else Effect.allow,
        reasons=(*(o.because for o in orders), *verdict.reasons),
        severity=Severity.informational if may_lift(verdict) else verdict.severity,
        approval_id=None,
    )


def may_pass(verdict: Verdict) -> bool:
    """Whether the policies let the action pass."""
    return verdict.effect in (Effect.allow, Effect.modify)


def may_lift(verdict: Verdict) -> bool:
    """Whether a grant may lift it: nobody decided against the action, and nothing failed.

    An approval under so many rules that not all of them are named is not lifted.
    """
    if verdict.effect is Effect.deny:
        return _named(verdict.reasons[0], DEFAULT) and not _failed(verdict)
    if verdict.effect not in (Effect.require_approval, Effect.defer):
        return False
    return not any(_named(r, MORE) for r in verdict.reasons) and not _failed(verdict)


def _named(one: Reason, other: Reason) -> bool:
    return (one.policy, one.rule) == (other.policy, other.rule)


def _failed(verdict: Verdict) -> bool:
    """Whether a rule that is enforced could not be judged: then it is among the reasons, too."""
    return any(e.startswith(f"{r.policy}/{r.rule}: ") for e in verdict.errors for r in verdict.reasons)


def _given(orders: list[StandingOrder]) -> list[StandingOrder]:
    return sorted(orders, key=_offset)


def _offset(order: StandingOrder) -> int:
    return order.offset
