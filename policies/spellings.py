r"""The ways in which software respells a path before it opens it, applied until nothing new comes.

Each way is one function, from a text to the texts that it may become; `/` and `\` both separate here.
"""

import re
from collections.abc import Callable, Iterator

from policies.readings import LONGEST, Unsafe, compose, decode_once, has_control
from policies.variables import expand_variables

MOST_SPELLINGS = 24

_LOOKALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2044\u2215\u29f8\u2571\u27cb", "/"),
        **dict.fromkeys("\u2216\u29f5\u29f9\u2572\u27cd\u00a5\u20a9", "\\"),
        **dict.fromkeys("\u3002\uff61", "."),
        "\ua789": ":",
    }
)

WINDOWS = re.compile(r"[A-Za-z]:[/\\]|\\\\[^\\/]")
"""How a text begins that is Windows' beyond doubt: a drive, or `\\\\server`."""

_FILE_URL = re.compile(r"(?:[a-z][a-z0-9+.-]+:)*file:(.*)", re.I | re.S)
_QUOTES = {'"': '"', "'": "'", "`": "`", "<": ">", "\u201c": "\u201d", "\u2018": "\u2019"}
_DRIVE = re.compile(r"/*([A-Za-z])[:|](?=[/\\]|\Z)")
_STREAM = re.compile(r":[^/\\]*")
_LEAD = re.compile(r"(?:[/\\]{2}[?.][/\\]|[/\\]\?\?[/\\])?(?:[A-Za-z]:(?=[/\\]))?")
_COMPONENT = re.compile(r"[^/\\]+")
_LOOSE_END = re.compile(r"[. ](?:[/\\]|\Z)")
_PARAMETER = re.compile(r"(?:(?<=[/\\])|\A)(\.{1,2});[^/\\]*")
_PARENT_GLOB = re.compile(r"\.(?:\*+|\?|\.\*+|\[[^\]/\\]*\]|\{[^}/\\]*\})\*?")


def spell(text: str) -> list[str]:
    """Every spelling of a text, itself first, in a fixed order.

    Raises:
        Unsafe: there are too many, or one of them cannot be read.
    """
    found = {text: None}
    todo = [text]
    while todo:
        current = todo.pop(0)
        for way in _WAYS:
            for new in way(current):
                if len(new) > 2 * LONGEST:
                    raise Unsafe("its characters stand for many more")
                if new and new not in found:
                    found[new] = None
                    todo.append(new)
        if len(found) > MOST_SPELLINGS:
            raise Unsafe(f"it can be spelled in more than {MOST_SPELLINGS} ways")
    return list(found)


def _unwrap(text: str) -> Iterator[str]:
    stripped = text.strip()
    yield stripped
    if len(stripped) > 1 and _QUOTES.get(stripped[0]) == stripped[-1]:
        yield stripped[1:-1]


def _unquote(text: str) -> Iterator[str]:
    """A shell joins what stands beside quotes: /et''c. One apostrophe alone is a letter of a name."""
    for quote in "'\"":
        if text.count(quote) > 1:
            yield text.replace(quote, "")


def _decode(text: str) -> Iterator[str]:
    if "%" in text:
        yield decode_once(text)


def _compose(text: str) -> Iterator[str]:
    if not text.isascii():
        composed = compose(text.translate(_LOOKALIKE))
        if has_control(composed):
            raise Unsafe("its characters hide a control character")
        yield composed


def _leave_url(text: str) -> Iterator[str]:
    found = _FILE_URL.fullmatch(text)
    if not found:
        return
    rest = found[1].replace("\\", "/")
    if "\\" in found[1]:
        yield found[1]
    if rest.startswith("//") and not rest.startswith("///"):
        host, _, path = rest[2:].partition("/")
        if host.lower() in ("", "localhost", "127.0.0.1", "[::1]", "."):
            rest = "/" + path
        elif _DRIVE.fullmatch(host):
            rest = rest[2:]
        else:  # a share to Windows; elsewhere the host is passed over
            yield "\\\\" + host + "\\" + path
            yield "/" + path
            return
    elif rest.startswith("////"):
        yield "\\\\" + rest.lstrip("/")
    drive = _DRIVE.match(rest)
    yield f"{drive[1]}:{rest[drive.end() :]}" if drive else re.sub(r"\A/{2,}", "/", rest)


def _cut_query(text: str) -> Iterator[str]:
    if "?" in text and not text.startswith(("\\\\?\\", "//?/", "\\??\\", "/??/")):
        yield text.partition("?")[0]
    place = text.rfind("#")
    if place > max(text.rfind("/"), text.rfind("\\"), 0):
        yield text[:place]


def _slash(text: str) -> Iterator[str]:
    if "\\" in text and not WINDOWS.match(text):
        yield text.replace("\\", "/")
        if "/" in text or text[0] in "~$":
            yield re.sub(r"\\(.)", r"\1", text)


def _cut_stream(text: str) -> Iterator[str]:
    start = _LEAD.match(text).end()  # type: ignore[union-attr]  # it matches every text
    if ":" in text[start:] and not _FILE_URL.fullmatch(text):
        yield text[:start] + _STREAM.sub("", text[start:])


def _strip_ends(text: str) -> Iterator[str]:
    """Windows drops dots and spaces at the end of a name."""
    if _LOOSE_END.search(text):
        yield _COMPONENT.sub(_strip_end, text)


def _strip_end(found: re.Match[str]) -> str:
    name = found[0]
    kept = name.rstrip(". ")
    if kept or name in (".", ".."):
        return kept or name
    return ".." if name.count(".") == 2 else "."


def _filter_parents(text: str) -> Iterator[str]:
    """A filter that removes `../` once makes `../` of `....//`."""
    if "..." in text:
        yield text.replace("../", "").replace("..\\", "")


def _cut_parameters(text: str) -> Iterator[str]:
    if ".;" in text:
        yield _PARAMETER.sub(r"\1", text)


def _expand_parents(text: str) -> Iterator[str]:
    """In older shells `.*` is also `..`."""
    if any(char in text for char in "*?[{"):
        yield _COMPONENT.sub(lambda m: ".." if _PARENT_GLOB.fullmatch(m[0]) else m[0], text)


_WAYS: tuple[Callable[[str], Iterator[str]], ...] = (
    _unwrap,
    _unquote,
    _decode,
    _compose,
    _leave_url,
    _cut_query,
    _slash,
    _cut_stream,
    _strip_ends,
    _filter_parents,
    _cut_parameters,
    _expand_parents,
    expand_variables,
)
