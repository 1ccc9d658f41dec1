"""Patterns, as people write them in `match`: one notation, plain strings.

- no wildcard: the very text (`read:file`);
- one `*` and it stands last: a prefix (`/srv/data/*`); `*` alone matches every text;
- any other `*`, `?` or `[...]`: a glob over the whole text.

`*` stands for any number of characters, `/` and `:` among them; `?` for one; `[abc]`, `[a-z]` for one of a
set, `[!...]` for one outside it. A wildcard in brackets is itself: `[*]`, `[?]`, `[[]`. Letters' case counts.
What could be read in two ways is refused. No pattern matches an absent value.
"""

import re
from enum import Enum
from typing import NamedTuple

LONGEST = 1000


class Kind(Enum):
    """How a pattern is looked up."""

    exact = "exact"
    prefix = "prefix"
    glob = "glob"


class Pattern(NamedTuple):
    """A parsed pattern.

    Attributes:
        kind: how it is looked up.
        text: the exact text, the prefix without its `*`, or the glob's text.
        regex: the glob's regular expression (to be matched from the start); empty for the others.
        head: what every match begins with.
        tail: what every match ends with.
    """

    kind: Kind
    text: str
    regex: str = ""
    head: str = ""
    tail: str = ""


def parse_pattern(text: str) -> Pattern:
    """Parse a pattern.

    Raises:
        ValueError: it is empty, too long, or ambiguous; the message says how to write what was meant.
    """
    if not text:
        raise ValueError("an empty pattern matches nothing anyone means; write '*' for every value")
    if len(text) > LONGEST:
        raise ValueError(f"a pattern of {len(text)} characters; at most {LONGEST} are allowed")
    if text != text.strip():
        raise ValueError(f"{text!r} begins or ends with white space; remove it")
    if "**" in text:
        raise ValueError(f"{text!r} has '**'; one '*' already crosses '/': write '*' once")
    if "[" not in text and "?" not in text and "*" not in text[:-1]:
        return Pattern(Kind.prefix, text[:-1]) if text[-1] == "*" else Pattern(Kind.exact, text)
    return _simplify(text, read_tokens(text))


Token = tuple[str, str]  # ("text", characters) | ("one", "") | ("any", "") | ("set", regular expression)


def read_tokens(text: str) -> list[Token]:
    """The parts of a pattern, of whatever kind, as they are written.

    Raises:
        ValueError: as `parse_pattern`.
    """
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "*":
            tokens.append(("any", ""))
        elif char == "?":
            tokens.append(("one", ""))
        elif char == "[":
            token, at = _read_set(text, at)
            tokens.append(token)
        else:
            tokens.append(("text", char))
    return tokens


def _read_set(text: str, at: int) -> tuple[Token, int]:
    negated = text[at : at + 1] == "!"
    start = at + negated
    end = text.find("]", start)
    if end < 0:
        raise ValueError(f"{text!r} has '[' without ']'; write '[[]' for the character '['")
    body = text[start:end]
    if not body:
        raise ValueError(f"{text!r} has an empty set; write '[[]' for the character '['")
    if body[0] == "^":
        raise ValueError(f"{text!r}: negate a set with '!', not '^'")
    items = _set_items(text, body)
    if not negated and len(items) == 1 and len(items[0]) == 1:
        return ("text", body), end + 1
    inner = "".join("-".join(re.escape(c) for c in item) for item in items)
    return ("set", f"[{'^' if negated else ''}{inner}]"), end + 1


def _set_items(text: str, body: str) -> list[str]:
    items: list[str] = []
    at = 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            low, high = body[at], body[at + 2]
            if low >= high:
                raise ValueError(f"{text!r}: the range {low}-{high} runs backwards or holds one character")
            items.append(low + high)
            at += 3
        else:
            items.append(body[at])
            at += 1
    if len(set(items)) != len(items):
        raise ValueError(f"{text!r}: the set [{body}] repeats itself; write '[[]' for the character '['")
    return items


def _simplify(text: str, tokens: list[Token]) -> Pattern:
    """Escapes may have been all there was: then it is exact or a prefix after all."""
    head = _literal(tokens)
    if len(head) == len(tokens):
        return Pattern(Kind.exact, head)
    if len(head) == len(tokens) - 1 and tokens[-1][0] == "any":
        return Pattern(Kind.prefix, head)
    tail = _literal(tokens[::-1])[::-1]
    return Pattern(Kind.glob, text, _to_regex(tokens), head, tail)


def _literal(tokens: list[Token]) -> str:
    found = []
    for kind, value in tokens:
        if kind != "text":
            break
        found.append(value)
    return "".join(found)


def _to_regex(tokens: list[Token]) -> str:
    """Between two `*` the first place that fits is taken for good, so that no match backtracks for long."""
    parts: list[str] = [""]
    for kind, value in tokens:
        if kind == "any":
            parts.append("")
        else:
            parts[-1] += "." if kind == "one" else value if kind == "set" else re.escape(value)
    if len(parts) == 1:
        return f"(?s:{parts[0]})\\Z"
    first, *middle, last = parts
    return f"(?s:{first}{''.join(f'(?>.*?{m})' for m in middle)}.*{last})\\Z"
