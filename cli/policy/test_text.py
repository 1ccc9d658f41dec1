"""Results of cases on a screen."""

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from policies.case import Case
from policies.cases import CaseResult
from policies.explaining.cases import CaseExplainer
from policies.explaining.explain import Account, Explanation
from policies.explaining.words import deciding, tell_changes, tell_step
from policies.load import Loaded

WIDE = 10_000


def print_results(results: Sequence[CaseResult]) -> None:
    """A line a case."""
    table = Table("policy", "case", "expected", "got", "")
    for r in results:
        mark = Text("ok", style="green") if r.passed else Text("FAILED", style="bold red")
        table.add_row(*(Text(t) for t in (r.policy, r.case, r.expected, r.got)), mark)
    terminal = sys.stdout.isatty()
    Console(width=shutil.get_terminal_size().columns if terminal else WIDE).print(table)


def tell_failure(
    loaded: Loaded, failed: Sequence[CaseResult], place: Callable[[CaseResult], str]
) -> Iterator[str]:
    """What went otherwise than expected, and why: by the rules' own account of the action."""
    explainers: dict[str, CaseExplainer] = {}
    cases = {(p.metadata.name, c.name): c for p in loaded.policies for c in p.cases}
    for r in failed:
        yield f"{place(r)}: {r.policy}: {r.case}: expected {r.expected}, got {r.got}: {r.message}"
        explainer = explainers.setdefault(r.policy, CaseExplainer(loaded, r.policy))
        case = cases[r.policy, r.case]
        yield from (f"    {line}" for line in _why(r, case, explainer.explain(case)))


def _why(result: CaseResult, case: Case, told: Explanation) -> Iterator[str]:
    by = deciding(told)
    if by is not None:
        yield from _account(by, "decided")
    wanted = f"{result.policy}/{case.rule}" if case.rule else None
    expected = next((a for a in told.accounts if a.name == wanted), None)
    if expected is not None and expected is not by:
        said = {"matched": "matched, but something decided before it", "failed": f"failed: {expected.why}"}
        yield from _account(expected, said.get(expected.status, "does not match"))
    elif case.expect in ("allow", "modify"):
        yield from tell_changes(told)
    elif expected is None and case.expect != told.verdict.effect.name:
        yield from _near_miss(case, told)


def _near_miss(case: Case, told: Explanation) -> Iterator[str]:
    """Of the rules with the effect that was expected, the one that misses least."""
    near = [a for a in told.accounts if a.rule.effect == case.expect and a.status == "unmatched"]
    if near:
        yield from _account(
            min(near, key=lambda a: len(a.missing)), f"is the nearest that says {case.expect}"
        )
    else:
        yield f"no rule says {case.expect}"


def _account(account: Account, said: str) -> Iterator[str]:
    yield f"{account.name} ({account.rule.effect}) {said}"
    shown = account.steps if account.status == "matched" else account.missing
    for step in shown:
        yield f"    {'!' if step.failed else '+' if step.held else '-'} {tell_step(step)}"
