"""Random rules and actions that often meet: every operator, odd texts, arguments that cannot be read."""

import json
import random
import uuid
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from detections.sigma.rule import And, Atom, Not, Or, SigmaRule
from schemas.action import Action, read_action
from schemas.codec import encode

TEXTS = (
    *("", "a", "ab", "abc", "bc", "cab", "ABC", "Curl -X", "rm -rf /", "/srv/a", "http://a.b/c", "secret"),
    *(
        "10.0.0.7",
        "5",
        "5.0",
        "100.0",
        "-3",
        "1e2",
        "true",
        "TRUE",
        "null",
        "2001:db8::1",
        "%20",
        "a*b",
        "a?b",
    ),
    *("ß", "STRASSE", "straße", "\u212aey", "key", "\ufb01le", "file", "\u0130", "Σας", "é\U0001f600", "„a“"),
    *("a\\b", "\\", "a\nb", "\x00a", '"', "a b\tc"),
)
EXPRESSIONS = (
    *("a", "^a", "a$", "b+c", "[ab]c", "(a|bc)d?", "curl|rm", r"\bkey\b", "(?i)ABC", "s(e|i)cret", "a.c"),
    *(r"(ab|cd)(x|bc)?", "a{2}", "(file|key|STRASSE)", "k", r"\\", "(?s)a.b", "^$", r"[^a]b", r"fi|\x41bc"),
    *("x*", "ß", r"\d+\.\d", "(a|b", "((a)b|c)+k"),
)
PLAIN = (
    *("action", "resource", "tool", "tool_server", "agent_id", "session_id", "content", "arguments"),
    *("principal", "phase", "outcome", "tenant", "content_sha256", "cost_usd", "input_tokens", "received_at"),
)
PARSED = ("args", "args.a", "args.b", "args.a.b", "args.key", "args.ä", "labels.a", "labels.team", "keywords")
FIELDS = (*PLAIN, *PARSED, *PARSED)
NETWORKS = ("10.0.0.0/8", "10.0.0.7/32", "2001:db8::/32", "192.168.0.0/16")
NUMBERS = (0, 1, 5, 5.0, -3, 100, 0.5, 2**40)


def make_rules(rng: random.Random) -> list[SigmaRule]:
    """A small set of rules."""
    return [_rule(rng, number) for number in range(rng.randrange(1, 9))]


def _rule(rng: random.Random, number: int) -> SigmaRule:
    phase = rng.choice(("call", "result", None, None, None))
    condition = _condition(rng, rng.randrange(4))
    return SigmaRule(name=f"r{number}", title="random", phase=phase, condition=condition)


def _condition(rng: random.Random, depth: int) -> Any:
    if not depth or rng.random() < 0.2:
        return _atom(rng)
    kind = rng.random()
    if kind < 0.2:
        return Not(no=_condition(rng, depth - 1))
    parts = tuple(_condition(rng, depth - 1) for _ in range(rng.choice((1, 2, 2, 3))))
    return And(every=parts) if kind < 0.6 else Or(some=parts)


def _atom(rng: random.Random) -> Atom:
    while True:
        try:
            return _any_atom(rng)
        except ValidationError:
            continue  # such as keywords that are asked to exist


def _any_atom(rng: random.Random) -> Atom:
    op = rng.choice(list(VALUES))
    value, flags = VALUES[op](rng)
    return Atom(op=op, field=rng.choice(FIELDS), value=value, flags=flags)  # type: ignore[arg-type]


def _wanted(rng: random.Random) -> str:
    return rng.choice(TEXTS) + (rng.choice(TEXTS) if rng.random() < 0.2 else "")


def _pattern(rng: random.Random) -> str:
    return "".join(rng.choices([*TEXTS[:20], "*", "*", "?", "\\*"], k=rng.randrange(1, 5)))


def _cased(rng: random.Random) -> str | None:
    return rng.choice((None, None, None, "c"))


Made = Callable[[random.Random], tuple[Any, str | None]]
VALUES: dict[str, Made] = {
    "is": lambda r: (r.choice((_wanted(r), _wanted(r), r.choice(NUMBERS), r.random() < 0.5)), _cased(r)),
    "contains": lambda r: (_wanted(r), _cased(r)),
    "starts": lambda r: (_wanted(r), _cased(r)),
    "ends": lambda r: (_wanted(r), _cased(r)),
    "like": lambda r: (_pattern(r), _cased(r)),
    "re": lambda r: (r.choice(EXPRESSIONS), r.choice((None, "i", "s", "ims"))),
    "cidr": lambda r: (r.choice(NETWORKS), None),
    "exists": lambda r: (r.random() < 0.5, None),
    "null": lambda r: (None, None),
    "ref": lambda r: (r.choice(FIELDS), r.choice((None, "c", "s", "e", "se", "cse"))),
    "gt": lambda r: (r.choice(NUMBERS), None),
    "lte": lambda r: (r.choice(NUMBERS), None),
    "hour": lambda r: (r.randrange(24), None),
    "week": lambda r: (r.randrange(54), None),
}


def make_action(rng: random.Random) -> Action:
    """One action."""
    record: dict[str, Any] = {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "tenant": rng.choice(("t", "abc")),
        "agent_id": rng.choice(TEXTS),
        "occurred_at": rng.randrange(2**50),
        "phase": rng.choice(("call", "call", "result", "prompt", "unknown")),
        "mode": "observe",
        "action": rng.choice(TEXTS),
        "resource": _text(rng),
        "cost_usd": rng.choice((0.0, 0.5, 5.0, 1e22)),
        "input_tokens": rng.choice((0, 5, 100)),
        "labels": {k: rng.choice(TEXTS) for k in ("a", "team", "ß") if rng.random() < 0.2},
        "salt": rng.choice((None, rng.randbytes(16))),
        "content_sha256": rng.choice((None, rng.randbytes(32))),
        "arguments": _arguments(rng),
    }
    for name in ("tool", "tool_server", "session_id", "principal", "outcome", "content"):
        record[name] = _text(rng) if rng.random() < 0.4 else None
    return read_action(encode("action_event", record), rng.randrange(2**41))


def _text(rng: random.Random) -> str:
    return "".join(rng.choices(TEXTS, k=rng.choice((1, 1, 2, 3))))


def _arguments(rng: random.Random) -> str | None:
    drawn = rng.random()
    if drawn < 0.2:
        return None
    if drawn < 0.3:  # what cannot be read, or can be read in two ways
        return rng.choice(
            ("{", "[1]", '{"a": 1, "a": "abc"}', '{"a": NaN}', '{"a": "\\ud800"}', "abc", '{"b": "abc"')
        )
    value = {key: _value(rng, 2) for key in ("a", "b", "key", "ä") if rng.random() < 0.6}
    written = json.dumps(value, ensure_ascii=rng.random() < 0.5).replace("/", rng.choice(("/", "\\/")))
    return written.replace(": 100", ": 1E2") if rng.random() < 0.5 else written


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.random()
    if depth and kind < 0.2:
        return {key: _value(rng, depth - 1) for key in ("a", "b") if rng.random() < 0.7}
    if depth and kind < 0.35:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(3))]
    if kind < 0.5:
        return rng.choice((*NUMBERS, True, False, None, 1e400, 2**70))
    return _text(rng)
