"""An explanation on a screen, and as JSON."""

import shutil
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from policies.explaining.explain import Account, Explanation
from policies.explaining.words import deciding, nearest, tell_changes, tell_decision, tell_step
from schemas.verdict import Effect

WIDE = 10_000
STYLES = {
    Effect.allow: "green",
    Effect.modify: "yellow",
    Effect.require_approval: "yellow",
    Effect.defer: "yellow",
    Effect.deny: "red",
}
MARKS = {"matched": "matches", "failed": "fails", "unmatched": "no"}


def is_close(account: Account) -> bool:
    """Whether a rule is worth a look: it matched, failed, or held by its first key at least."""
    return account.status != "unmatched" or bool(account.steps and account.steps[0].held)


def print_explanation(told: Explanation, everything: bool) -> None:
    """Print it for a person: colour only where a person sees it, whole lines where a machine does."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else WIDE
    console = Console(width=width, highlight=False, soft_wrap=not terminal)
    decided = list(tell_decision(told))
    console.print(Text(decided[0], style=f"bold {STYLES[told.verdict.effect]}"))
    for line in decided[1:]:
        console.print(Text(line))
    shown = [a for a in told.accounts if everything or is_close(a)]
    console.print()
    console.print(Text(f"rules considered: {len(told.accounts)}", style="bold"))
    by = deciding(told)
    for account in shown:
        _print_account(console, account, account is by)
    hidden = len(told.accounts) - len(shown)
    if hidden:
        console.print(Text(f"  {hidden} more do not hold by their first key (--all names them)", style="dim"))
    changes = list(tell_changes(told))
    if changes:
        console.print()
        console.print(Text("to be allowed", style="bold"))
        for line in changes:
            console.print(Text(f"  {line}"))


def _print_account(console: Console, account: Account, decides: bool) -> None:
    mark = MARKS[account.status] + (", decides" if decides else "")
    style = STYLES[account.effect] if account.status != "unmatched" else "dim"
    shadow = "" if account.enforced else ", in shadow"
    console.print(Text(f"  {account.name} ({account.rule.effect}{shadow}): {mark}", style=style))
    if not account.steps:
        console.print(Text("    it has no key, and so matches everything"))
    for step in account.steps:
        sign = "!" if step.failed else "+" if step.held else "-"
        console.print(Text(f"    {sign} {tell_step(step)}", style="" if step.held else style))
        if not step.held and account.status == "unmatched":
            break


def as_json(told: Explanation) -> dict[str, Any]:
    """The whole explanation as plain values."""
    verdict, by = told.verdict, deciding(told)
    return {
        "effect": verdict.effect.name,
        "decided_by": by.name if by else "bundle/default",
        "decision": list(tell_decision(told)),
        "to_be_allowed": list(tell_changes(told)),
        "nearest": [a.name for a in nearest(told)],
        "reasons": [{**r._asdict(), "effect": r.effect.name} for r in verdict.reasons],
        "severity": verdict.severity.name,
        "tags": list(verdict.tags),
        "errors": list(verdict.errors),
        "modified_arguments": verdict.modified_arguments,
        "limits_remaining": dict(verdict.limits_remaining),
        "rules": [_account(a) for a in told.accounts],
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "policy": account.policy,
        "rule": account.rule.id,
        "effect": account.rule.effect,
        "priority": account.rule.priority,
        "mode": "enforce" if account.enforced else "shadow",
        "status": account.status,
        "why": account.why or None,
        "steps": [step._asdict() for step in account.steps],
    }
