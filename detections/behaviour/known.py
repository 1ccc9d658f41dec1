"""A bounded set of names an agent has used, as a cell: what is new is told by it, and what was usual."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

MOST_BYTES = 1000
LONGEST = 40
LOOKED_AT = 500
"""Characters of a resource that tell its family."""
WIDEST = 0
"""The level at which all names are one: the cell then says only that there were too many."""

_VERSION = 1
_HEAD = 2


class Known(NamedTuple):
    """What a cell says of one name.

    Attributes:
        level: how precise names are in this cell; `WIDEST`: too many for it, nothing is new any more.
        line: the name at that level, as it stands in cells.
        is_new: whether it is not among them.
    """

    level: int
    line: bytes
    is_new: bool

    @property
    def name(self) -> str:
        """The name itself."""
        return self.line.decode().strip()


Line = Callable[[str, int], bytes]
"""How a name stands in a cell of some level: between two line ends. Empty at the widest: in every cell."""


def look_up(cell: bytes | None, finest: int, name: str | None, line_of: Line) -> Known:
    """What the cell says of a name; levels go from `finest` down to 1.

    Raises:
        ValueError: it is no cell of names.
    """
    name = name or ""
    if not cell:
        return Known(finest, line_of(name, finest), True)
    if cell[0] != _VERSION or len(cell) < _HEAD:
        raise ValueError(f"a cell of {len(cell)} bytes of version {cell[0]} holds no names")
    line = line_of(name, cell[1])
    return Known(cell[1], line, line not in cell)


def add(cell: bytes | None, known: Known) -> bytes:
    """The cell with a new name. Where it is full, it begins anew one level wider, and empty."""
    after = (cell or bytes([_VERSION, known.level]) + b"\n") + known.line[1:]
    if len(after) <= MOST_BYTES:
        return after
    return bytes([_VERSION, known.level - 1]) + b"\n"


def names(cell: bytes | None) -> list[str]:
    """All names, in order of first use."""
    return [n.decode() for n in (cell or b"")[_HEAD:].split(b"\n") if n]


@lru_cache(4096)
def tool_line(tool: str | None, level: int) -> bytes:
    """The line of a tool."""
    return b"\n%b\n" % _clean(tool or "").encode() if level != WIDEST else b""


def place_of(resource: str) -> str:
    """What tells the family of a resource: of a path its folder, so that answers can be remembered."""
    if "://" in resource or "\\" in resource or len(resource) > LOOKED_AT:
        return resource
    return resource[: resource.rfind("/") + 1] or resource


@lru_cache(8192)
def are_known(tools: bytes, resources: bytes, tool: str | None, place: str) -> bool:
    """Whether two cells have a tool and the family of a place (`place_of`).

    The last few thousand answers are remembered; it is a function of its arguments all the same.
    """
    # not `in`: of bytes it takes far longer than `find`
    return (
        tools.find(tool_line(tool, tools[1])) >= 0 and resources.find(family_line(place, resources[1])) >= 0
    )


@lru_cache(4096)
def family_line(resource: str, level: int) -> bytes:
    """The line of the family that a resource belongs to."""
    return b"\n%b\n" % family(resource, level).encode() if level != WIDEST else b""


def _clean(name: str) -> str:
    """A name as cells hold it: on one line, at most `LONGEST` characters of it and then a checksum."""
    name = name.replace("\n", " ")
    if len(name) > LONGEST or not name.isascii():
        return f"{ascii(name[: LONGEST - 12])[1:-1][: LONGEST - 12]}~{crc32(name.encode()):08x}"
    return name or "(none)"


def family(resource: str, level: int) -> str:
    """What a resource belongs to: a URL's host, an address's domain, the first `level` parts of a path.

    The last part of a path is a name, never a family.
    """
    scheme, mark, rest = resource[:LOOKED_AT].partition("://")
    if mark:
        host = rest.partition("/")[0].rpartition("@")[2].lower()
        return _clean(host if level > 1 else ".".join(host.rsplit(".", 2)[-2:]))
    if "@" in scheme and "/" not in scheme:
        return _clean(scheme.rpartition("@")[2].lower())
    parts = scheme.replace("\\", "/").split("/")
    folders = [p for p in parts[:-1] if p][:level]
    if not folders:
        return "(here)" if scheme else "(none)"
    return _clean(("/" if scheme[:1] in "/\\" else "") + "/".join(folders))
