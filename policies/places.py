"""Where a spelled path leads: one text to its normalised readings, by names and links that are known.

A reading is `/a/b`, `a/b` (relative), `~/a`, `~user/a`, `c:/a` (drive), `//server/share/a`, `../a` (above a
folder that is not known), `.`; a relative one whose first name could be taken for something else begins `./`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from policies.links import LINKED, walk
from policies.readings import Unsafe, fold
from policies.spellings import WINDOWS

_DRIVE = re.compile(r"([A-Za-z]):(/|\Z)")
_DRIVE_RELATIVE = re.compile(r"([A-Za-z]):([^/\\].*|)", re.S)
_PLAIN_NAME = re.compile(r"[\w.@+=,-][^:]*", re.S)
_DEVICE = re.compile(r"//[?.]/|/\?\?/")
_LOCAL = ("localhost", "127.0.0.1", "[::1]", "::1", "--1.ipv6-literal.net", ".", "?")


class Place(NamedTuple):
    """A root (`/`, `~`, `~user`, `c:`, `//`, `..`, or empty for relative) and the names beneath it."""

    root: str
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """The reading."""
        joined = "/".join(self.names)
        if self.root in ("/", "//"):
            return self.root + joined
        if self.root:
            return f"{self.root}/{joined}" if joined or self.root[1:] == ":" else self.root
        if not joined:
            return "."
        return joined if _PLAIN_NAME.fullmatch(self.names[0]) else "./" + joined


def split(reading: str) -> Place:
    """The place that a reading stands for; the inverse of `Place.text`."""
    if reading.startswith("//"):
        return Place("//", tuple(reading[2:].split("/")))
    if reading.startswith("/"):
        return Place("/", tuple(reading[1:].split("/")) if len(reading) > 1 else ())
    if reading[1:3] == ":/":
        return Place(reading[:2], tuple(reading[3:].split("/")) if len(reading) > 3 else ())
    first, *names = reading.split("/")
    if first.startswith("~") or first == "..":
        while names and first == names[0] == "..":
            del names[0]
        return Place(first, tuple(names))
    return Place("", tuple(names) if first == "." else (first, *names))


def places(text: str) -> list[Place]:
    """Where a spelled text leads, on whatever system it is opened.

    Raises:
        Unsafe: it names a device or an open file, which may be anything.
    """
    if WINDOWS.match(text):
        text = text.replace("\\", "/")
        found = _device(text) if _DEVICE.match(text) else _windows(text)
    elif _DEVICE.match(text):
        found = _device(text)
    elif re.match(r"//[^/]", text):
        found = [*_windows(text), *_rooted(names_of(text))]
    elif text.startswith("/"):
        found = _rooted(names_of(text))
    elif text.startswith("~"):
        found = _home(text)
    else:
        drive = _DRIVE_RELATIVE.fullmatch(text)
        found = [settle("", names_of(text))]
        if drive:
            names = names_of(drive[2].replace("\\", "/"))
            found += [Place(drive[1].lower() + ":", _lexical(names)[1]), settle("", names)]
    return found


def names_of(text: str) -> list[str]:
    """The names in a path that say something."""
    return [name for name in text.split("/") if name not in ("", ".")]


def _lexical(names: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """Names without `..`, and how far they climb above where they begin."""
    above = 0
    kept: list[str] = []
    for name in names:
        if name != "..":
            kept.append(name)
        elif kept:
            kept.pop()
        else:
            above += 1
    return above, tuple(kept)


def settle(root: str, names: Sequence[str]) -> Place:
    """The place of names beneath a root, `..` among them; above it, nothing is known."""
    above, kept = _lexical(names)
    return Place(".." if above else root, kept)


def _windows(text: str) -> list[Place]:
    drive = _DRIVE.match(text)
    if drive:
        names = names_of(text[2:])
        found = [Place(drive[1].lower() + ":", _lexical(names)[1])]
        if ".." in names:  # a folder called "C:", as POSIX has it
            found.append(settle("", [text[:2], *names]))
        return found
    server, *rest = text[2:].split("/")
    if not fold(server).strip(". "):
        return _rooted(names_of(text))
    kept = _lexical(names_of("/".join(rest)))[1]
    found = [Place("//", (server.lower(), *kept))]
    if server.lower() in _LOCAL and kept and re.fullmatch(r"[A-Za-z]\$", kept[0]):
        found.append(Place(kept[0][0].lower() + ":", kept[1:]))
    if server.lower() in ("wsl$", "wsl.localhost") and kept:
        found += _rooted(kept[1:])
    return found


def _device(text: str) -> list[Place]:
    rest = text[4:]
    if _DRIVE.match(rest):
        return _windows(rest)
    if rest.lower().startswith("unc/") and names_of(rest[4:]):
        return _windows("//" + rest[4:].lstrip("/"))
    raise Unsafe("it names a Windows device, and what that holds is not known")


def _home(text: str) -> list[Place]:
    first, *names = text.split("/")
    kept = names_of("/".join(names))
    found = [settle(first, kept)]
    if first in ("~+", "~-"):  # the working folder, and the one before
        found.append(settle("", kept))
    if ".." in kept:  # a tool that does not know "~" takes it for a folder
        found.append(settle("", [first, *kept]))
    return found


def _rooted(names: Sequence[str]) -> list[Place]:
    """By the letters alone, and as a system with the usual links walks it."""
    found = [Place("/", _lexical(names)[1])]
    if names and fold(names[0]) in LINKED:
        walked = Place(*walk(names))
        if walked not in found:
            found.append(walked)
    return found
