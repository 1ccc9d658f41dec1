"""What a person reads of a rule; and a priority that nobody ever sees."""

import re
from collections import defaultdict
from collections.abc import Iterator

from policies.linting.finding import Finding
from policies.linting.ground import Ground

_WORD = re.compile(r"[^\W\d_]{2,}")


def find_in_words(ground: Ground) -> Iterator[Finding]:
    """PL501, PL502 and PL106."""
    priorities: defaultdict[str, set[int]] = defaultdict(set)
    for written in ground.written.values():
        priorities[written.rule.effect].add(written.rule.priority)
    for written in ground.written.values():
        rule = written.rule
        if len(_WORD.findall(rule.message)) < 2 or _words(rule.message) == _words(rule.id):
            told = f"{rule.message[:60]!r} tells nobody why; say it in a few words"
            yield written.find("PL501", told, "message")
        if rule.effect == "deny" and not rule.tags:
            yield written.find("PL502", "a denial without tags; such as tags: [ASI02]", "id")
        if rule.priority and len(priorities[rule.effect]) == 1:
            told = f"all rules with the effect {rule.effect} have this priority, so it says nothing"
            yield written.find("PL106", told, "priority")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower().replace("_", " "))
