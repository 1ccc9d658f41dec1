"""Where a statement ends and the data of an INSERT begins, as ClickHouse's HTTP interface has it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# Source: ClickHouse's lexer (comments, three kinds of quotes with backslash escapes, words).
TOKEN = re.compile(
    rb"""(?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)"""
    rb"""|(?P<quoted>'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")"""
    rb"""|(?P<word>[A-Za-z_][A-Za-z0-9_$]*)"""
    rb"""|(?P<other>.)""",
    re.DOTALL,
)
DATA_START = re.compile(rb"[ \t\f]*\r?\n?")
FORMAT_CLAUSE = re.compile(
    rb"\bFORMAT\s+([A-Za-z0-9_]+)\s*(?:SETTINGS\s.*)?;?\s*$", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Insert:
    """An INSERT that carries its data.

    `head` is the statement up to FORMAT or VALUES; `start` is where the data begins in the text.
    """

    head: str
    data_format: str
    start: int


def parse_insert(text: bytes) -> Insert | None:
    """Return the INSERT with data that `text` begins with.

    None if it is another statement (INSERT SELECT and INSERT FROM INFILE too) or if its head is not
    complete: then more text may be needed.
    """
    words = _words(text)
    first = next(words, None)
    if first is None or first[0] != b"INSERT":
        return None
    for word, begin, end in words:
        if word in (b"SELECT", b"WITH", b"INFILE", b"WATCH"):
            return None
        if word == b"VALUES":
            return Insert(text[:begin].decode(), "Values", end)
        if word == b"FORMAT" and (name := next(words, None)) is not None and name[2] < len(text):
            data = DATA_START.match(text, name[2])
            return Insert(
                text[:begin].decode(), text[name[1] : name[2]].decode(), data.end() if data else name[2]
            )
    return None


def first_word(text: bytes) -> str:
    """Return the first word in upper case, "" if there is none."""
    first = next(_words(text), None)
    return first[0].decode() if first else ""


def several_statements(text: bytes) -> bool:
    """True if anything but space follows a semicolon."""
    ended = False
    for token in TOKEN.finditer(text):
        if token.lastgroup != "space" and token.group() != b";" and ended:
            return True
        ended = ended or (token.lastgroup == "other" and token.group() == b";")
    return False


def format_clause(text: bytes) -> str | None:
    """Return the format that a query's own FORMAT clause names."""
    found = FORMAT_CLAUSE.search(text)
    return found.group(1).decode() if found else None


def _words(text: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (word in upper case, begin, end) outside parentheses, except what is surely a name."""
    depth, before = 0, b""
    for token in TOKEN.finditer(text):
        kind, piece = token.lastgroup, token.group()
        if kind == "space":
            continue
        if kind == "other":
            depth += {b"(": 1, b")": -1}.get(piece, 0)
        elif kind == "word" and depth == 0 and before != b".":
            named = before in (b"INTO", b"TABLE", b"FUNCTION") and piece.upper() not in (
                b"TABLE",
                b"FUNCTION",
            )
            if not named:
                yield piece.upper(), token.start(), token.end()
        before = piece.upper()
