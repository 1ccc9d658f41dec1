"""Writes, from a schema, the Python function that walks an action's bytes.

The walker goes over every field once, checks that the encoding is canonical (shortest varints, one positive
block, UTF-8, UUIDs in lower case, nothing after the end) and remembers where each field begins; it builds the
values of `eager` fields only. Whatever is not plainly canonical raises `Odd`: the strict reader (strict.py)
then says what is wrong, or that only the encoding was unusual. Its oracle in tests is fastavro.
"""

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any

from schemas.strict import UUID

Walker = Callable[[bytes], tuple[Any, ...]]


class Odd(Exception):
    """Not plainly canonical: leave it to the strict reader."""


def long_at(body: bytes, at: int) -> tuple[int, int]:
    """A canonical varint of any length: its value, and where it ends.

    Raises:
        Odd: more bytes than needed, more than ten, or beyond 64 bits.
        IndexError: cut.
    """
    value = shift = 0
    while (byte := body[at]) & 0x80:
        if shift > 62:
            raise Odd
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
    value |= byte << shift
    if (not byte and shift) or value >> 64:
        raise Odd
    return (value >> 1) ^ -(value & 1), at + 1


def _text_end(body: bytes, at: int) -> tuple[int, int]:
    length, start = long_at(body, at)
    if length < 0:
        raise Odd
    return start, start + length


def map_end(body: bytes, at: int) -> int:
    """Where a canonical, non-empty map of strings ends: one positive block, no key twice.

    Raises:
        Odd, IndexError, UnicodeDecodeError: it is not one.
    """
    count, at = long_at(body, at)
    if not 0 < count <= len(body):
        raise Odd
    keys = set()
    for _ in range(count):
        start, at = _text_end(body, at)
        keys.add(str(body[start:at], "utf-8"))
        start, at = _text_end(body, at)
        str(body[start:at], "utf-8")
    if len(keys) != count or body[at]:
        raise Odd
    return at + 1


# steps over a canonical varint of at most 64 bits
LONG = [
    "q = p",
    "while b[p] > 127: p += 1",
    "if p != q and (not b[p] or p - q > 8 and (p - q > 9 or b[p] > 1)): raise Odd",
    "p += 1",
]


def _text(name: str, build: bool, kind: str) -> list[str]:
    lines = [
        "n = b[p]",
        "if n < 128:",
        "    if n & 1: raise Odd",
        "    q = p + 1; p = q + (n >> 1)",
        "else: q, p = text_end(b, p)",
    ]
    if kind == "uuid":
        return [*lines, "if p - q != 36 or not uuid(b, q, p): raise Odd"] + (
            [f"v_{name} = b[q:p].decode()"] if build else []
        )
    if kind == "bytes":
        return [*lines, f"v_{name} = b[q:p]"] if build else lines
    return [*lines, f"v_{name} = b[q:p].decode()" if build else "b[q:p].decode()"]


def _value(name: str, of: Any, build: bool) -> list[str]:
    """The lines that step over one value that is not null, and build it where wanted."""
    kind = _kind(of)
    if kind in ("string", "bytes"):
        uuid = isinstance(of, dict) and of.get("logicalType") == "uuid"
        return _text(name, build, "uuid" if uuid else kind)
    if build:
        raise ValueError(f"{name}: only strings and bytes are built by the walker")
    steps = {
        "long": LONG,
        "double": ["p += 8"],
        "map": ["if b[p]: p = map_end(b, p)", "else: p += 1"],
    }
    if kind == "enum":
        if len(of["symbols"]) > 64:
            raise ValueError(f"{name}: the walker knows enums of one byte, at most 64 symbols")
        return [f"if b[p] & 1 or b[p] >= {2 * len(of['symbols'])}: raise Odd", "p += 1"]
    if kind == "fixed":
        return [f"p += {of['size']}"]
    if kind not in steps:
        raise ValueError(f"{name}: the walker does not know type {kind}")
    return steps[kind]


def _field(name: str, of: Any, build: bool) -> list[str]:
    lines = [f"s_{name} = p"]
    if not isinstance(of, list):
        return lines + _value(name, of, build)
    if of[0] != "null" or len(of) != 2:
        raise ValueError(f"{name}: the walker knows unions of null and one type")
    branch = ["    " + line for line in ["if b[p] != 2: raise Odd", "p += 1", *_value(name, of[1], build)]]
    absent = f"p += 1; v_{name} = None" if build else "p += 1"
    return [*lines, "if b[p]:", *branch, f"else: {absent}"]


def _is_zero_able(field: Any) -> bool:
    """Whether one zero byte is a whole value: null, 0 or an empty map."""
    of = field["type"]
    return isinstance(of, list) or _kind(of) in ("long", "map")


def _kind(of: Any) -> Any:
    return of["type"] if isinstance(of, dict) else of


RUN = 7


def _run(fields: list[Any], eager: tuple[str, ...]) -> list[str]:
    """Lines for fields that are usually all absent: one comparison then passes over all of them."""
    each = [line for f in fields for line in _field(f["name"], f["type"], f["name"] in eager)]
    if len(fields) < 3:
        return each
    zeros = [f"s_{f['name']} = p + {i}" for i, f in enumerate(fields)]
    zeros += [f"v_{f['name']} = None" for f in fields if f["name"] in eager]
    size = len(fields)
    return [
        f"if b[p : p + {size}] == {bytes(size)!r}:",
        "    " + "; ".join([*zeros, f"p += {size}"]),
        "else:",
        *("    " + line for line in each),
    ]


def walker_source(definition: Any, eager: tuple[str, ...], whole: bool = True) -> str:
    """The function's text. It returns (starts of all fields, then the values of `eager` in that order).

    Unless `whole`, other bytes may follow, and the last of the starts is where they begin.
    """
    body: list[str] = []
    # what is eager is usually there
    for usually_zero, group in groupby(
        definition["fields"], key=lambda f: _is_zero_able(f) and f["name"] not in eager
    ):
        fields = list(group)
        step = RUN if usually_zero else 1
        for i in range(0, len(fields), step):
            body += _run(fields[i : i + step], eager)
    starts = ", ".join([f"s_{f['name']}" for f in definition["fields"]] + ([] if whole else ["p"]))
    values = ", ".join(f"v_{name}" for name in eager)
    return "\n".join(
        [
            "def walk(b):",
            "    p = 0",
            *("    " + line for line in body),
            f"    if p {'!=' if whole else '>'} len(b): raise Odd",
            f"    return ({starts},), {values}",
        ]
    )


def compile_walker(definition: Any, eager: tuple[str, ...], whole: bool = True) -> Walker:
    """Compile the walker of a schema whose named types are written out (`schemas.catalogue.spelled_out`).

    `whole`: as `walker_source` has it.

    Raises:
        ValueError: the schema has a type that the walker does not know, or `eager` names no such string.
    """
    names = {f["name"] for f in definition["fields"]}
    if not set(eager) <= names or not all(re.fullmatch("[a-z_0-9]+", n) for n in names):
        raise ValueError(f"eager fields {sorted(set(eager) - names)} are not in the schema")
    space: dict[str, Any] = {
        "Odd": Odd,
        "long_at": long_at,
        "text_end": _text_end,
        "map_end": map_end,
        "uuid": UUID.fullmatch,
    }
    exec(compile(walker_source(definition, eager, whole), "<walker>", "exec"), space)  # noqa: S102 - our own text
    walker: Walker = space["walk"]
    return walker
