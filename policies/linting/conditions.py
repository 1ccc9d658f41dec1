"""What a condition does that its author may not have thought of."""

import re
from collections.abc import Iterator

from policies.cel import activate, compile_condition, holds
from policies.errors import Unjudgeable
from policies.explaining.conjuncts import blank_literals
from policies.linting.finding import Finding
from policies.linting.ground import Ground, Written

_MATCHES = re.compile(r"\bmatches\s*\((?:[^()']*,)?\s*(' *')\s*\)")
"""A call with a text, whose characters are blanked."""
_ARGUMENT = re.compile(r"\bargs\s*\.\s*([A-Za-z_]\w*)(?!\s*\(|\w)")
_ASKED = re.compile(r"\bhas\s*\(\s*args\s*\.\s*([A-Za-z_]\w*)")


def find_in_conditions(ground: Ground) -> Iterator[Finding]:
    """PL201 (regular expressions) and PL202, of every rule where it is written."""
    for written in ground.written.values():
        if written.rule.when is not None:
            text = written.resolved.condition()
            yield from _expressions(written, text)
            yield from _arguments(written, text)


def _expressions(written: Written, text: str) -> Iterator[Finding]:
    spans = [found.span(1) for found in _MATCHES.finditer(blank_literals(text))]
    for literal in dict.fromkeys(text[start:end] for start, end in spans):
        try:
            holds(compile_condition(f"''.matches({literal})"), activate({}))
        except Unjudgeable as error:
            yield written.find("PL201", f"the regular expression {literal} is none: {error}", "when")


def _arguments(written: Written, text: str) -> Iterator[Finding]:
    bare = blank_literals(text)
    asked = set(_ASKED.findall(bare)) | set(re.findall(r"['\"](\w+)['\"]\s+in\s+args\b", text))
    missing = [name for name in dict.fromkeys(_ARGUMENT.findall(bare)) if name not in asked]
    if missing:
        names = ", ".join(f"args.{name}" for name in missing)
        told = f"where there is no {names}, the rule cannot be judged: {written.rule.on_error}"
        yield written.find(
            "PL202", f"{told}; write has({names.split(',')[0]}) && ... if that is not meant", "when"
        )
