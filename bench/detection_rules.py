"""Seeded Sigma rules and the actions that meet them: what detection is measured by.

Of the rules two in five look for a text anywhere (`contains`), one in five for a pattern with wildcards or a
regular expression, the rest for equality, beginnings and endings. Three in five also ask for a kind of action
that is common, three in ten have an exception. Of the actions one in a hundred is made to match a rule and
one in twenty to match all of a rule but one part. Words are as frequent as words are (Zipf), in rules too.
"""

import json
import random
import re
import uuid
from collections.abc import Sequence
from typing import Any

from bench.load import TENANT
from bench.memory import START_MS
from detections.sigma.rule import And, Atom, Not, Or, SigmaRule
from schemas.codec import encode

KINDS = ("contains",) * 8 + ("like", "like", "re", "re") + ("is",) * 3 + ("starts",) * 3 + ("ends",) * 2
WORDS = 3_000
MATCHING, NEARLY = 0.01, 0.05
ACTIONS = {
    "exec:shell": 30,
    "call:tool": 25,
    "read:file": 20,
    "write:file": 10,
    "call:http": 10,
    "chat:model": 5,
}
TOOLS = (
    "bash",
    "editor",
    "browser",
    "search",
    "send_email",
    "query",
    "fetch",
    "list_files",
    "calendar",
    "notes",
)
FIELDS = ("args.command", "args.command", "args.command", "resource", "resource", "args.body", "content")
SYLLABLES = (
    "ba",
    "con",
    "da",
    "fer",
    "gu",
    "in",
    "ka",
    "lo",
    "mer",
    "no",
    "pa",
    "ri",
    "so",
    "ta",
    "ul",
    "ver",
    "ze",
)
OPTIONS = ("-r", "-f", "--all", "--force", "-o", "-x", "2>&1", "|", "&&", "--output=json")


def vocabulary(rng: random.Random) -> list[str]:
    """Words, the most frequent first."""
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(rng.choices(SYLLABLES, k=rng.choice((1, 2, 2, 2, 3, 3, 4))))] = None
    return list(found)


_ORDER = vocabulary(random.Random(6))
_WEIGHTS = [1 / (rank + 2) for rank in range(WORDS)]


def words(rng: random.Random, count: int) -> list[str]:
    """Words as they come."""
    return rng.choices(_ORDER, _WEIGHTS, k=count)


def make_rules(count: int, seed: int = 1) -> list[SigmaRule]:
    """So many rules; the first of more are those of fewer."""
    return [_rule(random.Random(seed << 32 | number), number) for number in range(count)]


def _rule(rng: random.Random, number: int) -> SigmaRule:
    chosen = _atom(rng, KINDS[number % len(KINDS)], number)
    every: list[Any] = [chosen]
    if rng.random() < 0.6:
        common = Atom(op="is", field="action", value=_action(rng))
        every.insert(
            0, common if rng.random() < 0.7 else Atom(op="is", field="tool", value=rng.choice(TOOLS))
        )
    if rng.random() < 0.3:
        more = [Atom(op="contains", field=chosen.field, value=word) for word in words(rng, 3)]
        every.append(Or(some=tuple(more)))
    if rng.random() < 0.3:
        but = Atom(op="starts", field="agent_id", value=f"agent-{rng.randrange(100)}")
        every.append(Not(no=but if rng.random() < 0.5 else Atom(op="is", field="labels.team", value="tests")))
    condition = every[0] if len(every) == 1 else And(every=tuple(every))
    return SigmaRule(name=f"rule-{number}", title=f"Rule {number}", level="high", condition=condition)


def _action(rng: random.Random) -> str:
    return rng.choices(list(ACTIONS), list(ACTIONS.values()))[0]


def _atom(rng: random.Random, op: str, number: int) -> Atom:
    field = rng.choice(FIELDS)
    first, second, third = words(rng, 3)
    # half of the rules' texts hold a word that only they have, half are made of words that all use
    rare = f"{first}{number:x}" if rng.random() < 0.5 else f"{first}-{second}{rng.choice(_ORDER)}"
    match op:
        case "contains":
            value = rng.choice((rare, f"{rare} {second}", f"{second}/{rare}"))
        case "like":
            value = rng.choice((f"*{rare}*{third}*", f"{rare}?{second}*", f"*{second}?{rare}"))
        case "re":
            value = rng.choice(
                (rf"{rare}\s+-[rf]+", rf"(?i)\b{rare}\.(com|net|{third})", rf"{rare}[0-9]{{2,6}}")
            )
        case "is":
            value = f"/srv/{first}/{rare}.{second}"
        case _:
            value = f"/{rare}/{third}" if op == "starts" else f"{third}.{rare}"
    return Atom(op=op, field=field, value=value)  # type: ignore[arg-type]


def make_events(rules: Sequence[SigmaRule], count: int, seed: int = 2) -> list[bytes]:
    """Framed actions that meet some rules."""
    rng = random.Random(seed)
    return [_event(rng, rules, i) for i in range(count)]


def _event(rng: random.Random, rules: Sequence[SigmaRule], number: int) -> bytes:
    record = _ordinary(rng, number)
    drawn = rng.random()
    if drawn < MATCHING + NEARLY:
        positive = _positive(rng, rng.choice(rules).condition)
        short = drawn >= MATCHING and rng.randrange(len(positive))
        for place, atom in enumerate(positive):
            text = _example(rng, atom)
            if short is False or place != short:
                _plant(record, atom, text)
            elif len(positive) == 1:  # all but one part of a rule of one part: all but its last character
                _plant(record, atom, text[:-1])
    return _framed(record)


def _positive(rng: random.Random, condition: Any) -> list[Atom]:
    """The parts of a rule that an action must have."""
    if isinstance(condition, Atom):
        return [condition]
    found: list[Atom] = []
    for part in condition.every:
        if isinstance(part, Atom):
            found.append(part)
        elif isinstance(part, Or):
            found.append(rng.choice([p for p in part.some if isinstance(p, Atom)]))
    return found


def _plant(record: dict[str, Any], atom: Atom, text: str) -> None:
    holder, _, name = atom.field.partition(".")
    where, key = (record["arguments"], name) if holder == "args" else (record, holder)
    before = where.get(key) or ""
    if before and atom.op in ("contains", "re"):
        text = f"{before} {text}"
    elif before and atom.op == "starts":
        text = f"{text} {before}"
    where[key] = text


def _example(rng: random.Random, atom: Atom) -> str:
    """A text that the comparison is true of, in either case where case does not count."""
    text = str(atom.value)
    if atom.op == "like":
        return re.sub(r"[*?]", "x", text)
    if atom.op == "re":
        text = text.replace("(?i)", "").replace(r"\b", "").replace(r"\s+-[rf]+", "  -rf")
        text = re.sub(r"\\\.\(.*\)", ".com", text)
        return text.replace("[0-9]{2,6}", "4711")
    if atom.op == "ends":
        return f"/{words(rng, 1)[0]}/{text}"
    return text.upper() if rng.random() < 0.3 else text


def _ordinary(rng: random.Random, number: int) -> dict[str, Any]:
    action = _action(rng)
    some = words(rng, 12)
    told: dict[str, Any] = {
        "command": " ".join((some[0], rng.choice(OPTIONS), f"/srv/{some[1]}/{some[2]}", *some[3:6]))
    }
    if rng.random() < 0.3:
        told["body"] = " ".join(words(rng, 15))
    told["limit"] = rng.randrange(1000)
    content = None
    phase = "call"
    if rng.random() < 0.2:
        phase, content = "result", " ".join(words(rng, rng.randrange(10, 80)))
    return {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "tenant": TENANT,
        "agent_id": f"agent-{rng.randrange(1000)}",
        "session_id": f"session-{rng.randrange(5000)}",
        "occurred_at": START_MS * 1000 + number,
        "phase": phase,
        "mode": "observe",
        "action": action,
        "resource": f"/srv/{some[6]}/{some[7]}/{some[8]}.{some[9]}",
        "tool": rng.choice(TOOLS),
        "model": "model-x",
        "input_tokens": rng.randrange(2000),
        "output_tokens": rng.randrange(500),
        "cost_usd": rng.random() / 100,
        "arguments": told,
        "content": content,
        "salt": rng.randbytes(16),
    }


def _framed(record: dict[str, Any]) -> bytes:
    return encode("action_event", record | {"arguments": json.dumps(record["arguments"])})
