"""Host matching that cannot be fooled by how a host or its address is written. Pure: no name is resolved.

What cannot be known here, above all which address a name leads to, is told in
docs/policies/paths-and-hosts.md.
"""

import re
from functools import lru_cache

from policies.authority import bare_authorities, host_of, unwrap, url_authorities
from policies.host_names import ALIASES, decode_host, is_plain, read_name
from policies.host_pattern import HostPattern
from policies.readings import MOST, NOTHING, Readings, Unsafe, compose, inside, touches

__all__ = ["HostPattern", "host_inside", "host_touches", "read_host"]

_ORDINARY = re.compile(r"https?://((?:[a-z0-9][a-z0-9-]{0,62}\.)+[a-z][a-z0-9-]{0,62})(?:/.*)?", re.S)
_LEAST_NUMBER = 1 << 24


def read_host(text: str) -> Readings:
    r"""The hosts that a text may name: canonical names, dotted IPv4, compressed IPv6.

    Args:
        text: a URL, `//host`, `\\host`, `host`, `host:port`, `host/path`, `user@host:path`. A host without
            a dot (`orders`) needs a scheme before it or a port behind it, or stands alone.

    Returns:
        At most 64 readings. A URL whose host cannot be told for sure is unreadable. Mail addresses, `data:`,
        paths and commands name no host, nor does a bare number below 2^24.
    """
    ordinary = _ORDINARY.fullmatch(text)
    if ordinary and is_plain(ordinary[1]):
        return Readings((ordinary[1],))
    try:
        return _read(unwrap(text))
    except Unsafe as error:
        return Readings((), str(error))


def _read(text: str) -> Readings:
    found: dict[str, None] = {}
    authorities = url_authorities(text)
    for authority in authorities:
        try:
            for host in _hosts(authority):
                found.update(dict.fromkeys(read_name(host)))
        except Unsafe:
            if authority is authorities[0]:
                raise
    if not authorities:
        for authority in bare_authorities(text):
            for host in _hosts_if_any(authority):
                found.update(dict.fromkeys(_read_bare(host, alone=authority in (text, text + ":"))))
    if len(found) > MOST:
        raise Unsafe(f"it can be read in more than {MOST} ways")
    return Readings(tuple(found)) if found else NOTHING


def _hosts(authority: str) -> list[str]:
    """A database's URL may name several, with commas between."""
    return [host for part in authority.split(",") for host in host_of(part)]


def _hosts_if_any(authority: str) -> list[str]:
    try:
        return _hosts(authority)
    except Unsafe:
        return []


def _read_bare(host: str, alone: bool) -> list[str]:
    """Without a scheme, what cannot be a host is something else."""
    decoded = host if ":" in host else decode_host(host)
    try:
        found = read_name(decoded)
    except Unsafe:
        return []
    number = compose(decoded)
    if re.fullmatch("[0-9]+", number) and int(number) < _LEAST_NUMBER:
        return []
    single = found[0] == decoded.lower() and not re.search("[.:]", decoded) and decoded.lower() not in ALIASES
    return [] if single and not alone else found


@lru_cache(maxsize=4096)
def _parse(pattern: str) -> HostPattern:
    return HostPattern.parse(pattern)


def host_touches(text: str, pattern: str) -> bool:
    """Whether a text might name a host within a pattern: for restricting rules. Unreadable texts might.

    Raises:
        ValueError: the pattern is none.
    """
    return touches(read_host(text), _parse(pattern))


def host_inside(text: str, pattern: str) -> bool:
    """Whether all hosts that a text may name are within a pattern: for allowing rules.

    Raises:
        ValueError: the pattern is none.
    """
    return inside(read_host(text), _parse(pattern))
