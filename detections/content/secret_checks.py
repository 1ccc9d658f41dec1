"""Checks that tell a secret from what only looks like one: check digits, entropy, placeholders."""

import math
import re
from base64 import urlsafe_b64decode
from collections import Counter
from itertools import pairwise
from zlib import crc32

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLACEHOLDERS = (
    "example",
    "xxxx",
    "your",
    "placeholder",
    "redacted",
    "changeme",
    "dummy",
    "sample",
    "0000000",
    "1234567",
)
_HEX = re.compile("[0-9a-fA-F]+")
_PLAIN_WORDS = ("password", "passwd", "pass", "secret", "user", "token", "pwd")


def entropy(text: str) -> float:
    """Bits a character: Shannon's entropy of the characters' frequencies."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values()) if text else 0.0


def is_random(text: str) -> bool:
    """Whether it looks drawn at random: 3 bits a character and more, and no placeholder."""
    return entropy(text) >= 3.0 and not _is_placeholder(text)


def _is_placeholder(text: str) -> bool:
    low = text.lower()
    return any(word in low for word in _PLACEHOLDERS)


def has_crc(token: str) -> bool:
    """Whether the last six of the characters after the prefix are the Base62 CRC-32 of those before."""
    body = token.rpartition("_")[2]
    value, digits = crc32(body[:-6].encode()), ""
    while value:
        value, digit = divmod(value, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0") == body[-6:]


def is_jwt(token: str) -> bool:
    """Whether its first part says how it is signed."""
    head = token.partition(".")[0]
    try:
        return b'"alg"' in urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except ValueError:
        return False


def is_assigned(text: str) -> bool:
    """Whether what is assigned was drawn at random, rather than made of words or of names."""
    value = re.split(r"[\"'=: ]+", text.rstrip("\"'"))[-1]
    if len(value) < 16 or entropy(value) < 3.5 or _is_placeholder(value):
        return False
    kinds = [c.isdigit() + 2 * c.islower() + 4 * c.isupper() for c in value]
    mixed = 1 in kinds and len(set(kinds)) > 1
    # of random letters and digits, 62% follow one of another kind, of words with a year 40%
    changes = sum(a != b for a, b in pairwise(kinds)) / (len(kinds) - 1)
    return mixed and (changes >= 0.5 or (len(value) >= 32 and _HEX.fullmatch(value) is not None))


def is_login(text: str) -> bool:
    """Whether an address holds a password that is more than a placeholder."""
    password = text.partition("://")[2].rpartition("@")[0].partition(":")[2]
    plain = password.lower() in _PLAIN_WORDS or password[:1] in "$<{*[%" or not password.strip("*x")
    return not plain and not _is_placeholder(password)


def always(text: str) -> bool:
    """No check: the format says enough."""
    return True
