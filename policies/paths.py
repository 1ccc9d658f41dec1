"""Path containment that cannot be fooled by how a path is written. Pure: no file is looked at.

A reading that ends in `/.` is compared loosely: without regard to case, to compatibility forms, to where a
home is. It lies within all that the reading without that ending lies within: so it makes restricting rules
hold more often, and allowing ones, which need both, no less often. What cannot be known here, the links on
the agent's machine above all, is told in docs/policies/paths-and-hosts.md.
"""

import re
from functools import lru_cache

from policies.links import LINKED
from policies.path_pattern import LOOSE, PathPattern
from policies.places import names_of, places, settle, split
from policies.readings import (
    LONGEST,
    MOST,
    NOTHING,
    Readings,
    Unsafe,
    fold,
    has_control,
    has_surrogate,
    inside,
    touches,
)
from policies.spellings import spell

__all__ = ["PathPattern", "path_inside", "path_touches", "read_path"]

_ORDINARY = re.compile(r"(/?)(?=([^/]++))(?:[A-Za-z0-9_.@+=,-]++(?<!\.)/)*+[A-Za-z0-9_.@+=,-]++(?<!\.)(/?)")
_URL = re.compile(r"(?!(?:[a-z][a-z0-9+.-]+:)*file:)(?:[a-z][a-z0-9+.-]+:)+(?://|\\\\)", re.I)
_OPAQUE = re.compile(r"(?:mailto|data|javascript|about|tel|sms|urn|news|magnet|cid|blob):", re.I)
_CLIMB = re.compile(r"(?:\A|[/\\]|%2f|%5c)(?:\.|%2e){2}(?:[/\\]|%2f|%5c|\Z)", re.I)
_PATH_LIKE = re.compile(r"[/\\~.$%\"'`<]|[A-Za-z]:|file:|[^ ]*\Z", re.I)
_BROKEN = re.compile(r"%(?![0-9a-f]{2}|u[0-9a-f]{4})(?=[0-9a-z])", re.I)
_VARIABLE = re.compile(r"%(?![0-9A-Fa-f]{2})[A-Za-z_][A-Za-z0-9_()]*%")
_COMPUTED = re.compile(r"\$\(|`|\$\{(?!HOME\}|env:)|\{[^{}]*(?:,[^{}]*[/\\]|[/\\][^{}]*,)[^{}]*\}")


def read_path(text: str) -> Readings:
    """The places that a text may name.

    Args:
        text: a resource or an argument. A URL (but `file:`) is no path, unless it climbs with `..`.

    Returns:
        At most 64 readings; those of an ordinary path are two, the path and its loose form. A text beyond
        4096 characters, with control characters, lone surrogates, broken percent encoding or what only a
        shell could compute is unreadable.
    """
    ordinary = _ORDINARY.fullmatch(text)
    if ordinary and len(text) <= LONGEST and not (ordinary[1] and ordinary[2].lower() in LINKED):
        text = text[:-1] if ordinary[3] else text
        return Readings((text, text.lower() + LOOSE))
    try:
        return _read(text.strip("\t\n\v\f\r\x85\u2028\u2029"))
    except Unsafe as error:
        return Readings((), str(error))


def _read(text: str) -> Readings:
    if not text.strip() or _OPAQUE.match(text.strip()):
        return NOTHING
    if _URL.match(text.strip()) and not _CLIMB.search(text):
        return NOTHING
    if "\0" in text:
        raise Unsafe("it has a NUL character")
    if has_surrogate(text):
        raise Unsafe("it has half a character (a lone surrogate)")
    if not _PATH_LIKE.match(text.lstrip()) and (len(text) > LONGEST or has_control(text)):
        return NOTHING  # words on several lines: a script or prose
    if len(text) > LONGEST:
        raise Unsafe(f"it is {len(text)} characters long; at most {LONGEST} are read")
    if has_control(text):
        raise Unsafe("it has control characters or line breaks")
    if "%" in text and _BROKEN.search(_VARIABLE.sub("", text)):
        raise Unsafe("its percent encoding is broken")
    if _COMPUTED.search(text) and _PATH_LIKE.match(text.lstrip()):
        raise Unsafe("a shell would compute it, and what comes out is not known")
    return _gather(text)


def _gather(text: str) -> Readings:
    strict: dict[str, None] = {}
    loose: dict[str, None] = {}
    for spelling in spell(text):
        if not _is_url(spelling):
            for place in places(spelling):
                reading = place.text
                strict[reading] = None
                loose[_loosen(reading)] = None
    values = tuple({**strict, **loose})
    if len(values) > MOST:
        raise Unsafe(f"it can be read in more than {MOST} ways")
    return Readings(values)


def _is_url(spelling: str) -> bool:
    """A URL that says `file:` is only what it leads to; with `..` it may also be a folder called so."""
    return spelling.lower().startswith("file:") and not _CLIMB.search(spelling)


def _loosen(reading: str) -> str:
    if reading.isascii() and not reading.startswith("~"):
        folded = reading.lower()
    else:
        place = split(reading)
        root = "~" if place.root.startswith("~") else fold(place.root)
        folded = settle(root, names_of("/".join(map(fold, place.names)))).text
    if not folded.strip("/"):
        return "/"
    return folded if folded == "." else folded.rstrip("/") + LOOSE


@lru_cache(maxsize=4096)
def _parse(pattern: str) -> PathPattern:
    return PathPattern.parse(pattern)


def path_touches(text: str, pattern: str) -> bool:
    """Whether a path might lie within a pattern: for restricting rules. Unreadable texts might.

    Raises:
        ValueError: the pattern is none.
    """
    return touches(read_path(text), _parse(pattern))


def path_inside(text: str, pattern: str) -> bool:
    """Whether a path lies within a pattern however it is read: for allowing rules.

    Raises:
        ValueError: the pattern is none.
    """
    return inside(read_path(text), _parse(pattern))
