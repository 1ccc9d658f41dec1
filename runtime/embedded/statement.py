"""Where a statement ends and the data of an INSERT begins, as ClickHouse's HTTP interface has it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

# Source: ClickHouse's lexer (comments, three kinds of quotes with backslash escapes, words).
TOKEN = re.compile(
    rb"""(?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)"""
    rb"""|(?P<quoted>'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")"""
    rb"""|(?P<word>[A-Za-z_][A-Za-z0-9_$]*)"""
    rb"""|(?P<other>.)""",
    re.DOTALL,
)
NAME = re.compile(rb"[A-Z_][A-Z0-9_]*")
DATA_START = re.compile(rb"[ \t\f]*\r?\n?")


@dataclass(frozen=True)
class Insert:
    """An INSERT that carries its data.

    `head` is the statement up to FORMAT or VALUES; `start` is where the data begins in the text.
    """

    head: str
    data_format: str
    start: int


@dataclass(frozen=True)
class Query:
    """A statement without data.

    `data_format` is what its own FORMAT clause names, "" without one; `core` is the text before that clause;
    `several` is true if a second statement follows, `outfile` if the result is to go to a file of the server.
    """

    first_word: str
    data_format: str
    core: str
    several: bool
    outfile: bool


def parse_insert(text: bytes, whole: bool = False) -> Insert | None:
    """Return the INSERT with data that `text` begins with.

    None if it is another statement (INSERT SELECT and INSERT FROM INFILE too) or if its head is not
    complete: then more text may be needed. `whole` says that no more will come.
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
        if word == b"FORMAT" and (name := next(words, None)) is not None and (whole or name[2] < len(text)):
            data = DATA_START.match(text, name[2])
            start = data.end() if data else name[2]
            return Insert(text[:begin].decode(), text[name[1] : name[2]].decode(), start)
    return None


def parse_query(text: bytes) -> Query:
    """Take a statement apart as far as the interface needs it; the engine judges whether it is right."""
    tokens = [token for token in TOKEN.finditer(text) if token.lastgroup != "space"]
    pieces = [token.group().upper() for token in tokens]
    end = pieces.index(b";") if b";" in pieces else len(pieces)
    clause = next((at for at in range(end) if _is_format_clause(pieces[at:end])), None)
    return Query(
        first_word=pieces[0].decode(errors="replace") if pieces else "",
        data_format=tokens[clause + 1].group().decode() if clause is not None else "",
        core=text[: tokens[clause].start()].decode()
        if clause is not None
        else text.decode().strip().rstrip(";"),
        several=any(piece != b";" for piece in pieces[end:]),
        outfile=(b"INTO", b"OUTFILE") in pairwise(pieces),
    )


def _is_format_clause(pieces: list[bytes]) -> bool:
    """True for FORMAT and a name, with nothing but SETTINGS after it: else it is a column of that name."""
    named = len(pieces) > 1 and pieces[0] == b"FORMAT" and NAME.fullmatch(pieces[1]) is not None
    return named and (len(pieces) == 2 or pieces[2] == b"SETTINGS")


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
