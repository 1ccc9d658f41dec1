"""Rules that cases do not try, or not from both sides."""

from collections.abc import Iterator

from documents.pattern import parse_pattern
from policies.cases import run_cases
from policies.coverage import cover
from policies.explaining.steps import fits
from policies.linting.finding import Finding
from policies.linting.ground import Ground
from policies.rule import Rule


def find_untried(ground: Ground) -> Iterator[Finding]:
    """PL401 and PL402, of every rule where it is written."""
    loaded = ground.loaded
    reached = cover(loaded, run_cases(loaded)).reached
    cases = [(p.metadata.name, c.name, c.action.action) for p in loaded.policies for c in p.cases]
    for written in ground.written.values():
        hits = reached.get(written.name)
        if hits is None:
            told = f"no case matches {written.told}; add one that it decides"
            yield written.find("PL401", told, "id")
        elif _asks_more(written.resolved):
            patterns = [parse_pattern(str(a)) for a in written.resolved.match.actions or ["*"]]
            beside = ((p, c) for p, c, action in cases if any(fits(x, action) for x in patterns))
            if all(case in hits for case in beside):
                told = f"no case comes near {written.told} without matching it: the same action, not meant"
                yield written.find("PL402", told, "id")


def _asks_more(rule: Rule) -> bool:
    """Whether the rule asks for more than an action, so that one like it may be not meant."""
    given = {key for key, value in rule.match if value is not None}
    return bool(given - {"actions"}) or rule.when is not None or rule.limit is not None
