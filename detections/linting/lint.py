"""All that lint finds in files of detections without mistakes."""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from detections.exceptions import NARROWING
from detections.linting.rules import find_in_rules, remark
from detections.loading import Loaded
from detections.trying import only_finders, run_cases
from documents.lints import Remark

ENOUGH = 2
"""Cases of each kind that show something."""
YEAR = timedelta(days=366)


def lint_detections(loaded: Loaded, today: date, ignored: Collection[str] = ()) -> list[Remark]:
    """What is worth looking at, by file and line; codes in `ignored` are left out.

    Args:
        loaded: what to look at.
        today: the day, in UTC, by which exceptions have expired.
        ignored: codes.
    """
    found = [*find_in_rules(loaded), *_cases(loaded), *_exceptions(loaded, today)]
    return sorted({r for r in found if r.code not in ignored})


def _cases(loaded: Loaded) -> Iterator[Remark]:
    tried = Counter((c.rule, c.case.expect) for c in loaded.cases)
    alone = only_finders(run_cases(loaded))
    for rule in loaded.detections:
        placed = loaded.placed[rule.name]
        found, nothing = (tried[rule.name, expect] for expect in ("found", "nothing"))
        if not found or not nothing:
            missing = "none that it finds" if not found else "none that it must not find"
            yield remark(placed, "DL201", f"of its cases there is {missing}")
        elif min(found, nothing) < ENOUGH:
            yield remark(placed, "DL202", f"{found} found and {nothing} of ordinary work")
        if found and rule.name not in alone:
            yield remark(placed, "DL203", "in no case it alone finds something")


def _exceptions(loaded: Loaded, today: date) -> Iterator[Remark]:
    for exception, source, node in loaded.exceptions:
        expires = node.find(("expires",))
        day = date.fromisoformat(exception.expires)
        if day <= today:
            yield Remark(source, expires.line, expires.column, "DL401", f"it expired on {exception.expires}")
        elif day > today + YEAR:
            yield Remark(source, expires.line, expires.column, "DL402", "it holds for more than a year")
        given = [getattr(exception, key) for key in NARROWING if key != "values"]
        wide = all(patterns is None or "*" in patterns for patterns in given)
        if wide and all("*" in patterns for patterns in (exception.values or {}).values()):
            yield Remark(source, node.line, node.column, "DL403", f"{exception.id} fits every action")
        for i, name in enumerate(exception.detections):
            if name in loaded.blocks:
                at = node.find(("detections", i))
                yield Remark(source, at.line, at.column, "DL404", f"{name} raises no findings")
