"""The hosts that a text may name, as yet unread: where the authority of a URL begins and ends.

The WHATWG standard (browsers), RFC 3986 (most libraries) and careless splitting differ in what ends it and in
which `@` counts; each of them is followed.
"""

import re
from collections.abc import Iterator

from policies.readings import LONGEST, Unsafe, decode_once, drop_control, has_control

_SPECIAL = re.compile(r"(?:https?|wss?|ftp):[/\\]*", re.I)
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)++(?=[/\\]{2})", re.I)
_SPECIAL_SLASHED = re.compile(r"[a-z][a-z0-9+.-]*:[/\\]{2}|(?:https?|wss?|ftp):", re.I)
_ENCODED_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*(?::|%(?:25)*3a)(?:/|\\|%(?:25)*(?:2f|5c)){2}", re.I)
_OPAQUE = re.compile(r"(?:mailto|data|javascript|about|tel|sms|urn|news|magnet|cid):", re.I)
_EMAIL = re.compile(r"[^@\s/:\\?#]+@[^@\s/:\\?#]+")
_NOT_BARE = re.compile(r"[./~\\$#?@]|[A-Za-z]:[/\\]")
_ENDS = (re.compile(r"[/\\?#]"), re.compile(r"[/?#]"), re.compile(r"/"))
_SCP = re.compile(r"(?:([^@:/\\?#\s]+)@)?([^@:/\\?#\s\[\]]+):(?![0-9]*(?:[/?#]|\Z))")
_HOST_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?")
_QUOTES = {'"': '"', "'": "'", "`": "`", "<": ">"}


def unwrap(text: str) -> str:
    """A text without what stands around it: white space, control characters, quotes."""
    while True:
        inner = text.strip("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x1b\x7f").strip()
        if len(inner) > 1 and _QUOTES.get(inner[0]) == inner[-1]:
            inner = inner[1:-1]
        if inner == text:
            return text
        text = inner


def url_authorities(text: str) -> list[str]:
    r"""What stands where a URL, `//host` or `\\host` has its host; empty if the text is none of these.

    The first is the one that standards agree on, or browsers' reading.

    Raises:
        Unsafe: the authority is too long or has control characters in it.
    """
    if _OPAQUE.match(text):
        return []
    if text.startswith(("/\\", "\\/")):
        raise Unsafe("it begins with '/' and '\\', which is a path to some and a host to others")
    found: list[str] = []
    special = _SPECIAL.match(text)
    scheme = _SCHEME.match(text)
    if special:
        found += _authorities(text[special.end() :])
    if scheme or text.startswith(("//", "\\\\")):
        start = scheme.end() if scheme else 0
        rest = text[start + 2 :]
        device = re.match(r"[?.][/\\](UNC[/\\]+)?", rest, re.I) if not scheme else None
        if device:
            rest = rest[device.end() :] if device[1] else ""
        if scheme and scheme[0].lower().endswith("file:") and rest.startswith(("//", "\\\\")):
            rest = rest[2:]
        if text.startswith("\\\\"):  # WebDAV: \\host@SSL@port
            found += _authorities(re.split(r"[@/\\]", rest, maxsplit=1)[0])
        found += _authorities(rest)
    elif not special and "%" in text and _ENCODED_SCHEME.match(text):
        return url_authorities(decode_once(text))
    elif not special and has_control(text) and _SPECIAL_SLASHED.match(drop_control(text)):
        raise Unsafe("it has control characters before its host")
    return list(dict.fromkeys(found))


def bare_authorities(text: str) -> list[str]:
    """What may be the host in a text without a scheme: `host`, `host:port`, `host/path`, `user@host:path`."""
    if _NOT_BARE.match(text) or _OPAQUE.match(text) or _EMAIL.fullmatch(text) or " " in text:
        return []
    head = _ENDS[2].split(text, maxsplit=1)[0]
    if len(head) > LONGEST:
        return []
    if has_control(head):
        cleaned = bare_authorities(drop_control(text))
        if any(c in host for host in cleaned for c in ".:"):
            raise Unsafe("it has control characters in its host")
        return []
    scp = _SCP.match(text)
    found = [scp[2]] if scp and (scp[1] or "." in scp[2]) else []
    return list(dict.fromkeys([*found, *_authorities(text)]))


def _authorities(rest: str) -> Iterator[str]:
    wide = rest[: LONGEST + 1].split("/", 1)[0]
    if len(wide) > LONGEST:
        raise Unsafe(f"its host does not end within {LONGEST} characters")
    first = ""
    for end in _ENDS:
        found = end.split(wide, maxsplit=1)[0]
        if first and "@" not in found[len(first) :]:
            continue
        if not first and has_control(found):
            raise Unsafe("it has control characters in its host")
        first = first or found
        yield found.rpartition("@")[2]
        if found.count("@") > 1:
            yield found.split("@")[1]


def host_of(authority: str) -> list[str]:
    """The host in `host:port`; an IPv6 address may stand without brackets, its last group then be a port.

    Raises:
        Unsafe: there is no telling host from port.
    """
    if authority.count(":") > 1 and "[" not in authority:
        return [authority, authority.rpartition(":")[0]]
    found = _HOST_PORT.fullmatch(authority)
    if not found:
        raise Unsafe("there is no telling its host from its port")
    return [found[1]] if found[1] else []
