"""Case files: rows of text, pattern, does a restricting rule hold, does an allowing one, and why."""

from pathlib import Path
from typing import NamedTuple

import yaml


class Case(NamedTuple):
    text: str
    pattern: str
    touched: bool
    allowed: bool
    why: str


def read_cases(name: str) -> list[Case]:
    """All rows of a case file beside this one."""
    groups = yaml.safe_load((Path(__file__).parent / name).read_text("utf-8"))
    found = [Case(*row) for rows in groups.values() for row in rows]
    for case in found:
        assert [type(part) for part in case] == [str, str, bool, bool, str], case
    assert len({case[:2] for case in found}) == len(found)
    return found
