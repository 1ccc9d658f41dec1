"""The kinds of personal data that can be told by their looks, and the check digits that prove them.

Patterns run in RE2 (linear time), all as one; numbers that fail their check are nothing. What they are and
how they are checked is python-stdnum's knowledge (ISO 13616 for IBANs, ISO/IEC 7812 for cards, and the laws
of the countries for national numbers).
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import re2
from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.es import dni
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.mx import curp
from stdnum.pl import pesel
from stdnum.us import ssn

CARD, IBAN, NATIONAL, PHONE, EMAIL = "card", "iban", "national", "phone", "email"
NAMES = {
    CARD: "card number",
    IBAN: "bank account (IBAN)",
    NATIONAL: "national number",
    PHONE: "telephone number",
    EMAIL: "e-mail address",
}
_CARD_STARTS = ("34", "37", "35", "36", "38", "4", "51", "52", "53", "54", "55", "2", "60", "62", "64", "65")
"""Issuers' numbers in use, and their lengths, by ISO/IEC 7812's registry as the networks publish it."""


def _is_card(text: str) -> bool:
    digits = "".join(c for c in text if c.isdigit())
    known = digits.startswith(_CARD_STARTS) and 14 <= len(digits) <= 19
    return known and len(set(digits)) > 2 and bool(luhn.is_valid(digits))


def _is_long_number(text: str) -> bool:
    return bool(nir.is_valid(text) or ric.is_valid(text))


def _is_phone(text: str) -> bool:
    return 8 <= sum(c.isdigit() for c in text) <= 15


Check = Callable[[str], bool]
_ROWS: tuple[tuple[str, str, Check], ...] = (
    (IBAN, r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", iban.is_valid),
    (NATIONAL, r"\b[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]\b", codicefiscale.is_valid),
    (NATIONAL, r"\b[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[A-Z0-9][0-9]\b", curp.is_valid),
    (NATIONAL, r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b", cpf.is_valid),
    (NATIONAL, r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", ssn.is_valid),
    (NATIONAL, r"\b[0-9]{6}[-+A][0-9]{3}[0-9A-Y]\b", hetu.is_valid),
    (NATIONAL, r"\b[0-9]{8}[A-Z]\b", dni.is_valid),
    (PHONE, r"\+[0-9]{1,3}(?:[ .()-]{0,2}[0-9]){7,12}\b", _is_phone),
    (PHONE, r"\b[0-9]{3}[ .-][0-9]{3}[.-][0-9]{4}\b", _is_phone),
    (CARD, r"\b[0-9](?:[ -]?[0-9]){13,18}\b", lambda text: _is_card(text) or _is_long_number(text)),
    (NATIONAL, r"\b[0-9]{11}\b", pesel.is_valid),
)
_ALL = re2.compile("|".join(f"({pattern})" for _, pattern, _ in _ROWS).encode())
_EMAIL = re.compile(r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_ONES = bytes(49 if 48 <= i <= 57 else 32 for i in range(256))
DIGITS = {CARD: 14, IBAN: 10, NATIONAL: 8, PHONE: 8}
"""The fewest digits that one of a kind has."""
MOST = 1000
"""Candidates in one text that are looked at."""


class Personal(NamedTuple):
    """One piece of personal data: its kind, its value without blanks and hyphens, and where it is."""

    kind: str
    value: str
    start: int
    end: int


def digits_in(text: str) -> int:
    """How many digits a text has."""
    return text.encode("ascii", "replace").translate(_ONES).count(b"1")


def find_numbers(text: str) -> tuple[list[Personal], bool]:
    """Personal data that is numbers, and whether there were too many candidates to look at all of them."""
    found: list[Personal] = []
    raw = text.encode("ascii", "replace")  # so that places in bytes are places in characters
    for count, match in enumerate(_ALL.finditer(raw)):
        if count == MOST:
            return found, True
        kind, _, check = _ROWS[match.lastindex - 1]
        written = match[0].decode()
        if check(written):
            if kind == CARD and not _is_card(written):
                kind = NATIONAL
            value = written.replace(" ", "").replace("-", "")
            found.append(Personal(kind, value, match.start(), match.end()))
    return found, False


def find_emails(text: str) -> Iterator[Personal]:
    """Addresses: the domain by a pattern, the local part by walking back 64 characters (RFC 5321)."""
    for number, match in enumerate(_EMAIL.finditer(text)):
        if number == MOST:
            return
        start = at = match.start()
        while start > 0 and at - start < 64 and text[start - 1] in _LOCAL:
            start -= 1
        if start < at:
            yield Personal(EMAIL, text[start : match.end()].lower(), start, match.end())
