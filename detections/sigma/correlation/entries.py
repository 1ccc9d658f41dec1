"""What a window remembers of an event, and a page of such entries: one cell, at most 1 KB.

A page, little-endian: version, the form of its entries, its number, the time up to which entries were lost;
then the entries in the order in which they came. It is kept as its bytes: of most pages nothing is asked but
whether a group is in them.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from detections.detector import LARGEST_CELL

VERSION = 1
PLAIN, WITH_VALUE = 0, 1
"""Forms: without and with a value."""

NEVER = -(2**63)

_HEAD = struct.Struct("<BBIq")
_FORMS = (struct.Struct("<q8sHB16s"), struct.Struct("<q8sHB16sq"))
_WIDTHS = (5, 6)
_GROUP = 1
ROOM = tuple((LARGEST_CELL - _HEAD.size) // form.size for form in _FORMS)
"""How many entries a page holds, by form."""


class Entry(NamedTuple):
    """One event in one group.

    Attributes:
        at: its time, milliseconds.
        group: 8 bytes of the SHA-256 of what it is grouped by.
        rules: which of the correlation's rules it matched, the first the lowest bit.
        held: 1 where the condition held when it came.
        event: the 16 bytes of its event id.
        value: of a field: 8 bytes of a digest as a number, or millionths; 0 where the kind has none.
    """

    at: int
    group: bytes
    rules: int
    held: int
    event: bytes
    value: int = 0


class Page(NamedTuple):
    """Some entries, under a number that grows from page to page, as the cell has them."""

    number: int
    lost_at: int
    form: int
    cell: bytes

    @property
    def full(self) -> bool:
        """Whether no entry can be added."""
        return len(self.cell) + _FORMS[self.form].size > LARGEST_CELL

    def entries(self) -> list[Entry]:
        """All of them."""
        return [Entry(*e) for e in _FORMS[self.form].iter_unpack(self.cell[_HEAD.size :])]

    def of(self, group: bytes) -> list[Entry]:
        """Those of one group."""
        if group not in self.cell:
            return []
        found = _FORMS[self.form].iter_unpack(self.cell[_HEAD.size :])
        return [Entry(*e) for e in found if e[_GROUP] == group]

    def with_entries(self, entries: Sequence[Entry]) -> "Page":
        """The page with some entries more."""
        pack, width = _FORMS[self.form].pack, _WIDTHS[self.form]
        more = b"".join(pack(*entry[:width]) for entry in entries)
        return Page(self.number, self.lost_at, self.form, self.cell + more)


def read_page(cell: bytes, form: int) -> Page:
    """Read a cell.

    Raises:
        ValueError: it is no page of this form.
    """
    body = len(cell) - _HEAD.size
    if body <= 0 or body % _FORMS[form].size or cell[0] != VERSION or cell[1] != form:
        raise ValueError(f"a cell of {len(cell)} bytes beginning {cell[:4].hex()} is no page of form {form}")
    _, _, number, lost_at = _HEAD.unpack_from(cell)
    return Page(number, lost_at, form, cell)


def new_page(number: int, lost_at: int, form: int) -> Page:
    """A page without entries."""
    return Page(number, lost_at, form, _HEAD.pack(VERSION, form, number, lost_at))


def paged(entries: Sequence[Entry], first: int, lost_at: int, form: int) -> Iterator[Page]:
    """Entries on pages, numbered from the first on."""
    room = ROOM[form]
    for nth, at in enumerate(range(0, len(entries), room)):
        yield new_page(first + nth, lost_at, form).with_entries(entries[at : at + room])
