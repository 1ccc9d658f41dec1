"""A comparison as an expression of SQL: 1, 0, or NULL where it cannot be told.

ClickHouse's AND, OR and NOT of these are Kleene's, as the evaluator's are.
"""

import ipaddress
import re

from detections.sigma.fields import KEYWORDS
from detections.sigma.patterns import Wild, split_pattern
from detections.sigma.rule import NUMBER_OPS, TIME_OPS, Atom
from detections.sigma.sql.fields import is_text, text_of, values_of
from detections.sigma.sql.text import number, quoted

_COMPARE = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
WHOLE = (r"(?s)\A", r"\z")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"^(?:{_OCTET}\.){{3}}{_OCTET}$"


def atom_sql(atom: Atom) -> str:
    """The comparison of one row."""
    values = values_of(atom.field)
    if atom.op == "ref":
        return _referring(atom)
    if atom.op == "exists":
        return _known(f"notEmpty({values.array}) = {int(bool(atom.value))}", values.unknown)
    if atom.op == "null":
        told = f"(empty({values.array}) OR arrayExists(v -> v.1 = 1, {values.array}))"
        return _known(told, values.unknown)
    if is_text(atom.field):
        told = f"({atom.field} IS NOT NULL AND {_true(atom, text_of(atom.field))})"
        return _known(told, values.unknown)
    told = f"arrayExists(v -> v.1 >= 2 AND {_true(atom, 'v.2', 'v.3')}, {values.array})"
    if atom.field == KEYWORDS:
        # what can be read of it may tell that it is there
        return f"if({values.unknown}, if({told}, 1, NULL), toUInt8({told}))"
    return _known(told, values.unknown)


def _known(told: str, unknown: str) -> str:
    return f"if({unknown}, NULL, toUInt8({told}))" if unknown else f"toUInt8({told})"


def _true(atom: Atom, text: str, numeric: str = "") -> str:
    """Whether it is true of one value, which has a text."""
    numeric = numeric or f"text_number({text})"
    value = atom.value
    if atom.op in NUMBER_OPS:
        assert isinstance(value, int | float)  # noqa: S101 - the rule's own check says so
        return f"ifNull({numeric} {_COMPARE[atom.op]} {number(value)}, 0)"
    if atom.op in TIME_OPS:
        return f"ifNull({_time(atom.op, numeric)} = {int(value or 0)}, 0)"
    if atom.op == "is" and isinstance(value, bool):
        return f"caseFoldUTF8({text}) = '{'true' if value else 'false'}'"
    if atom.op == "is" and isinstance(value, int | float):
        return f"ifNull({numeric} = {number(value)}, 0)"
    return _text_true(atom, text)


def _text_true(atom: Atom, text: str) -> str:
    value, flags = str(atom.value), atom.flags or ""
    if atom.op == "re":
        return f"match({text}, {quoted(_expression(value, flags))})"
    if atom.op == "cidr":
        return _inside(value, text)
    wanted, folded = (value, text) if "c" in flags else (value.casefold(), f"caseFoldUTF8({text})")
    match atom.op:
        case "is":
            return f"{folded} = {quoted(wanted)}"
        case "contains":
            return f"position({folded}, {quoted(wanted)}) > 0"
        case "starts":
            return f"startsWith({folded}, {quoted(wanted)})"
        case "ends":
            return f"endsWith({folded}, {quoted(wanted)})"
    written = {Wild.ANY: ".*", Wild.ONE: "."}
    parts = [written[p] if isinstance(p, Wild) else re.escape(p) for p in split_pattern(wanted)]
    return f"match({folded}, {quoted(_zero(''.join([WHOLE[0], *parts, WHOLE[1]])))})"


def _expression(pattern: str, flags: str) -> str:
    """As RE2 has it by itself: in ClickHouse's `match` a point is also a line's end."""
    on = flags.replace("c", "")
    return _zero(f"(?{on}{'' if 's' in on else '-s'}){pattern}")


def _zero(pattern: str) -> str:
    """U+0000 written out: a pattern that holds it would end there."""
    return pattern.replace("\\\0", "\\x00").replace("\0", "\\x00")


def _referring(atom: Atom) -> str:
    flags = atom.flags or ""
    mine, others = values_of(atom.field), values_of(str(atom.value))

    def fold(text: str) -> str:
        return text if "c" in flags else f"caseFoldUTF8({text})"

    one, other = fold("a.2"), fold("b.2")
    compared = f"{one} = {other}"
    if "s" in flags and "e" in flags:
        compared = f"position({one}, {other}) > 0"
    elif "s" in flags or "e" in flags:
        compared = f"{'startsWith' if 's' in flags else 'endsWith'}({one}, {other})"
    found = f"arrayExists(b -> b.1 >= 2 AND {compared}, {others.array})"
    told = f"arrayExists(a -> a.1 >= 2 AND {found}, {mine.array})"
    unknown = " OR ".join(u for u in (mine.unknown, others.unknown) if u)
    return _known(told, unknown)


def _time(part: str, numeric: str) -> str:
    at = f"micros({numeric})"
    told = {
        "minute": f"minute_of({at})",
        "hour": f"hour_of({at})",
        "day": f"toDayOfMonth(date({at}))",
        "week": f"toISOWeek(date({at}))",
        "month": f"toMonth(date({at}))",
        "year": f"year({at})",
    }[part]
    return f"if(in_years({at}), {told}, NULL)"


def _inside(network: str, text: str) -> str:
    """Whether a text is an address inside a network, as Python's `ipaddress` reads both."""
    net = ipaddress.ip_network(network)
    if net.version == 4:
        first, last = int(net.network_address), int(net.broadcast_address)
        at = f"IPv4StringToNumOrDefault({text})"
        return f"(match({text}, {quoted(_IPV4)}) AND {at} >= {first} AND {at} <= {last})"
    first_hex, last_hex = f"{int(net.network_address):032X}", f"{int(net.broadcast_address):032X}"
    # a scope such as %eth0 belongs to an address
    plain = f"replaceRegexpOne({text}, '%[^%]+$', '')"
    at = f"hex(IPv6StringToNumOrDefault({plain}))"
    is_address = f"isIPv6String({plain}) AND position({text}, ':') > 0"
    return f"({is_address} AND {at} >= '{first_hex}' AND {at} <= '{last_hex}')"
