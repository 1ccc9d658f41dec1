"""What a lint finds beside mistakes: each by a code that stays, so that it can be looked up and left out."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """A warning is very likely not what was meant; a note is worth knowing."""

    warning = "warning"
    note = "note"


class Code(NamedTuple):
    """A kind of finding.

    Attributes:
        id: stable.
        name: short, for reports.
        level: how sure it is that something is wrong.
        text: what it means and what to do.
    """

    id: str
    name: str
    level: Level
    text: str


Codes = Mapping[str, Code]


def make_codes(table: Iterable[tuple[str, str, Level, str]]) -> Codes:
    """The codes of a table, by id."""
    return {row[0]: Code(*row) for row in table}


class Remark(NamedTuple):
    """Something found at a place. Lines and columns count from 1. Sorts by place."""

    source: str
    line: int
    column: int
    code: str
    message: str

    def told(self, codes: Codes) -> str:
        """As one line, with its level."""
        level = codes[self.code].level.value
        return f"{self.source}:{self.line}:{self.column}: {level} {self.code}: {self.message}"
