"""Why an action is decided as it is: every rule, what it asked, what it saw.

Each rule is tried by itself, key by key, as the index does not; the decision is the index's own. That the two
agree is tested on random worlds.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from policies.arguments import parse_arguments
from policies.bundle import Content
from policies.candidates import LARGEST_ARGUMENTS, Ruling
from policies.compiled import compile_content
from policies.counting import count, modify
from policies.edits import apply_edits
from policies.errors import Unjudgeable
from policies.explaining.steps import Seen, Step, demand_steps, pattern_steps
from policies.index import Index
from policies.outcome import CompiledRule
from policies.rule import Rule
from policies.sight import Cells, Reader
from policies.signals import QUIET, Signals
from schemas.action import Action
from schemas.verdict import RANK, Effect, Verdict

Status = Literal["matched", "failed", "unmatched"]


class Account(NamedTuple):
    """What one rule made of the action.

    Attributes:
        policy: its policy.
        rule: as the bundle has it.
        enforced: whether its policy is; one in shadow is recorded only.
        status: `failed` is a rule that could not be judged: it has the effect of its `on_error`.
        steps: every key that it has, in the order in which they are judged.
        why: of a rule that failed.
    """

    policy: str
    rule: Rule
    enforced: bool
    status: Status
    steps: tuple[Step, ...]
    why: str = ""

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.policy}/{self.rule.id}"

    @property
    def effect(self) -> Effect:
        """What it asks for: its effect, or that of its failing."""
        return Effect[self.rule.on_error if self.status == "failed" else self.rule.effect]

    @property
    def missing(self) -> tuple[Step, ...]:
        """The keys that did not hold."""
        return tuple(step for step in self.steps if not step.held)


class Explanation(NamedTuple):
    """What was decided, and what each rule had to say; rules stand in deciding order."""

    action: Action
    verdict: Verdict
    accounts: tuple[Account, ...]


def strongest(accounts: Sequence[Account]) -> Effect:
    """The effect that follows: the strongest of what enforced rules said; deny where none said anything."""
    said = [a.effect for a in accounts if a.enforced and a.status != "unmatched"]
    return max(said, key=lambda effect: RANK[effect], default=Effect.deny)


class Explainer:
    """A bundle's rules, ready to be asked why."""

    def __init__(self, content: Content, read: Reader) -> None:
        """Compile; `read` tells what conditions see of an agent's cells.

        Raises:
            BadCondition: a condition does not compile.
        """
        self._ordered = compile_content(content)
        self._lists = dict(content.lists)
        self._names = content.names
        self._index = Index(content, read)
        self._read = read

    def explain(self, action: Action, signals: Signals = QUIET, cells: Cells | None = None) -> Explanation:
        """Decide an action, and say why."""
        cells = cells or {}
        verdict, _ = self._count(action, self._index.decide(action, signals, cells), cells)
        return Explanation(action, verdict, self.account(action, signals, cells))

    def repeat(self, action: Action, signals: Signals, times: int) -> dict[str, bytes]:
        """The cells of an agent that did the same before, so often, at the same time: what limits counted."""
        cells: dict[str, bytes] = {}
        for _ in range(times):
            cells.update(self._count(action, self._index.decide(action, signals, cells), cells)[1])
        return cells

    @staticmethod
    def _count(action: Action, ruling: Ruling, cells: Cells) -> tuple[Verdict, Mapping[str, bytes]]:
        verdict = ruling.verdict
        if ruling.modified_arguments is not None:
            verdict = modify(verdict, ruling.modified_arguments)
        return count(action, verdict, ruling.charges, cells) if ruling.charges else (verdict, {})

    def account(self, action: Action, signals: Signals, cells: Cells) -> tuple[Account, ...]:
        """What every rule makes of an action."""
        seen = Seen(action, signals, cells, self._read, self._lists, self._names)
        return _edit([_account(compiled, rule, seen) for compiled, rule in self._ordered], action)


def _account(compiled: CompiledRule, rule: Rule, seen: Seen) -> Account:
    patterns = tuple(pattern_steps(rule.match, rule.effect == "allow", seen))
    demands = tuple(demand_steps(rule, compiled.demand, seen)) if compiled.demand is not None else ()
    status, why = _judge(demands) if all(step.held for step in patterns) else ("unmatched", "")
    return Account(compiled.reason.policy, rule, compiled.enforced, status, (*patterns, *demands), why)


def _judge(demands: Sequence[Step]) -> tuple[Status, str]:
    """Comparisons are all made before a condition is run, and a limit is asked only after it."""
    for kind in ("fields.", "when", "limit"):
        steps = [step for step in demands if step.key.startswith(kind)]
        why = next((step.failed for step in steps if step.failed), "")
        if why:
            return "failed", why
        if not all(step.held for step in steps):
            return "unmatched", ""
    return "matched", ""


def _edit(accounts: list[Account], action: Action) -> tuple[Account, ...]:
    """Rules whose edits cannot be made have failed; a denied action is not edited."""
    arguments: str | None = action.arguments
    if strongest(accounts) is Effect.deny:
        return tuple(accounts)
    for i, account in enumerate(accounts):
        edits = account.rule.modify
        if not edits or not account.enforced or account.status != "matched":
            continue
        try:
            arguments = apply_edits(edits, parse_arguments(arguments))
            if len(arguments.encode()) > LARGEST_ARGUMENTS:
                raise Unjudgeable(f"the modified arguments are larger than {LARGEST_ARGUMENTS} bytes")
        except Unjudgeable as error:
            step = Step("modify", False, "the arguments can be changed", str(error), failed=str(error))
            accounts[i] = account._replace(status="failed", steps=(*account.steps, step), why=str(error))
    return tuple(accounts)
