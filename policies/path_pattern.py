"""Patterns of paths: a place and all beneath it."""

import re

from policies.aliases import ANY_DRIVE, folded, loosely, same_places
from policies.names import ANYTHING, Name, lead_into, stands_for_several
from policies.places import Place, names_of, places, settle, split
from policies.readings import Unsafe, fold, has_control, has_invisible, has_surrogate
from policies.spellings import WINDOWS

LOOSE = "/."
LONGEST_PATTERN = 1000
HERE = Place("", ())

_ENCODED = re.compile(r"%[0-9a-f]{2}|\A\$|%[a-z_]\w*%", re.I)


class Form:
    """One way to write the place that a pattern means.

    Attributes:
        root: of the place, as `Place` has it.
        names: beneath it.
        anywhere: whether it begins with `**`: then the root does not count.
        literal: whether comparing texts is enough, where the reading stands for one path only.
        text: as a reading has it; start: the same with `/` at its end.
    """

    __slots__ = ("anywhere", "literal", "names", "root", "start", "text")

    def __init__(self, place: Place) -> None:
        self.root = place.root
        self.names = tuple(Name(name) for name in place.names)
        self.anywhere = place.root == "" and place.names[:1] == (ANYTHING,)
        self.literal = all(name.plain for name in self.names) and place.root != ANY_DRIVE and place != HERE
        self.text = place.text
        self.start = self.text if self.text.endswith("/") else self.text + "/"

    def holds(self, place: Place, loose: bool) -> bool:
        """Whether a place lies within; loosely, where its names may stand for several."""
        if place.root == "..":
            return loose and self._ends_in(place.names)
        same = place.root == self.root or self.anywhere
        if loose and not same:
            same = (self.root, place.root) == ("/", "//") or (
                self.root == ANY_DRIVE and place.root[1:] == ":"
            )
        return same and lead_into(self.names, place.names, loose)

    def _ends_in(self, names: tuple[str, ...]) -> bool:
        """A path from a folder that is not known, upwards: is it the pattern's end that it goes on with?"""
        for start in range(len(self.names)):
            rest = self.names[start:]
            if start and not any(name.plain for name in rest):
                return False
            if lead_into(rest, names, loose=True):
                return True
        return False


class PathPattern:
    r"""A place and all beneath it, by whole names.

    `/etc`, `src` (relative), `.` (every relative path that does not climb), `~/.ssh`, `C:\Windows`,
    `\\server\share`, `**/.env` (anywhere), `/srv/**/keys` (anywhere beneath), `/` (every path). In a name,
    `*` is any number of characters and `?` one. A pattern written as Windows does (a drive, a server, or `\`
    between the names) is compared as Windows does: case does not count and `\` separates.

    Attributes:
        text: as written.
        everywhere: whether it is every path.
        windows: whether it compares as Windows does.
        strict: the ways to write its place.
        loose: the same for suspicions, without regard to case.
    """

    __slots__ = ("everywhere", "loose", "strict", "text", "windows")

    def __init__(self, text: str, place: Place, windows: bool) -> None:
        """Use `parse`."""
        self.text = text
        self.windows = windows
        self.everywhere = place == Place("/", ())
        strict = [folded(place)] if windows else same_places(place)
        self.strict = [Form(p) for p in strict]
        self.loose = [Form(p) for p in dict.fromkeys(loosely(map(folded, strict)))]

    @classmethod
    def parse(cls, text: str) -> "PathPattern":
        """Parse a pattern.

        Raises:
            ValueError: it could be read in two ways, or can never match; the message says what to write.
        """
        complaint = _complaint(text)
        if complaint:
            raise ValueError(complaint)
        windows = bool(WINDOWS.match(text)) or "\\" in text
        plain = text.replace("\\", "/") if windows else text
        return cls(text, _place(text, plain), windows)

    def holds(self, reading: str) -> bool:
        """Whether one of `read_path`'s readings lies within."""
        if self.everywhere:
            return True
        loose = reading.endswith(LOOSE)
        if loose:
            reading = reading[: -len(LOOSE)]
        if self.windows:
            reading = as_windows(fold(reading))
        return _any(self.loose if loose else self.strict, reading, loose)


def is_vague(reading: str) -> bool:
    """Whether a loose reading may stand for several paths, so that texts are not all to compare."""
    return reading.startswith(("//", "..")) or stands_for_several(reading)


def _any(forms: list[Form], reading: str, loose: bool) -> bool:
    place = None
    vague = loose and is_vague(reading)
    for form in forms:
        if form.literal:
            if reading == form.text or reading.startswith(form.start):
                return True
            if not vague:
                continue
        place = place or split(reading)
        if form.holds(place, loose):
            return True
    return False


def as_windows(reading: str) -> str:
    r"""A folded reading with `\` taken for a separator."""
    if "\\" not in reading:
        return reading
    root, names = split(reading)
    joined = "/".join(names).replace("\\", "/")
    return settle("/" if root == "" and joined.startswith("/") else root, names_of(joined)).text


def _complaint(text: str) -> str:
    if not text.strip():
        return "an empty path pattern matches nothing anyone means; write '/' for every path"
    if len(text) > LONGEST_PATTERN:
        return f"a path pattern of {len(text)} characters; at most {LONGEST_PATTERN} are allowed"
    if text != text.strip():
        return f"{text!r} begins or ends with white space; remove it"
    if has_control(text) or has_invisible(text) or has_surrogate(text):
        return f"{text!r} has characters that cannot be seen; write it without them"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", text):
        return f"{text!r} is a URL; write the path alone (for network addresses there is 'hosts')"
    if _ENCODED.search(text):
        return (
            f"{text!r} has percent encoding or a variable; write the characters themselves, '~' for the home"
        )
    if text.startswith("~") and text[1:2] not in ("", "/", "\\"):
        return f"{text!r} names a user's home; write '~' for any home, or the whole path"
    if "\\" in text and "/" in text:
        return f"{text!r} mixes '/' and '\\'; write one of them throughout"
    return ""


def _place(text: str, plain: str) -> Place:
    if re.fullmatch(r"[A-Za-z]:", plain):
        plain += "/"
    names = [name for name in plain.split("/") if name not in ("", ".")]
    if ".." in names:
        raise ValueError(f"{text!r} has '..'; write where it leads")
    if ANYTHING in names:
        if names.count(ANYTHING) > 1 or names[-1] == ANYTHING:
            raise ValueError(
                f"{text!r}: '**' may stand once, before a name; a folder holds all beneath it anyway"
            )
    elif len(names) == 1 and names[0] == plain and ("*" in plain or "?" in plain):
        raise ValueError(f"{text!r}: write '**/{text}' for any folder, or './{text}' for the working folder")
    if any(ANYTHING in name and name != ANYTHING for name in names):
        raise ValueError(f"{text!r}: '**' stands for whole names; write '*' within one")
    try:
        return places(plain)[0]
    except Unsafe as error:
        raise ValueError(f"{text!r} cannot be a pattern: {error}") from None
