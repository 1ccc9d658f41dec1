"""Canonical JSON (RFC 8785) of what stands in a bundle: its bytes are a function of its content."""

from json.encoder import encode_basestring
from typing import Any

from policies.rest import Rest, no_rest

LARGEST = 2**53
"""Beyond this, numbers of JSON (doubles) are no longer exact: refused."""


def canonical(value: Any, rest: Rest = no_rest) -> bytes:
    """Serialise: keys sorted, no white space, UTF-8, numbers as ECMAScript writes them.

    Keys are sorted by code point, which is RFC 8785's order for keys of the basic plane; ours are ASCII.
    `rest` is called after each object.

    Raises:
        ValueError: a number that is not finite or beyond 2**53, a lone surrogate, or a type
            that JSON has not.
    """
    parts: list[str] = []
    _write(value, parts, rest)
    return "".join(parts).encode()


def _write(value: Any, out: list[str], rest: Rest) -> None:
    if isinstance(value, str):
        out.append(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        out.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int | float):
        out.append(_number(value))
    elif isinstance(value, dict):
        for i, key in enumerate(sorted(value)):
            out.append(("," if i else "{") + encode_basestring(key) + ":")
            _write(value[key], out, rest)
        out.append("}" if value else "{}")
        rest()
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            out.append("," if i else "[")
            _write(item, out, rest)
        out.append("]" if value else "[]")
    else:
        raise ValueError(f"{type(value).__name__} has no place in JSON")


def _number(value: float) -> str:
    if not -LARGEST <= value <= LARGEST:  # NaN fails every comparison
        raise ValueError(f"{value} is not finite, or beyond 2**53")
    if value == int(value):
        return str(int(value))
    text = repr(float(value))
    digits, _, exponent = text.partition("e")
    if not exponent:
        return text
    power = int(exponent)  # repr turns to exponents below 1e-4, ECMAScript below 1e-6
    if power >= -6:
        sign, bare = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        return f"{sign}0.{'0' * (-power - 1)}{bare.replace('.', '')}"
    return f"{digits}e{power}"
