"""What an import has to say about a document: what was left out, and what was read in a way worth knowing."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import yaml

from documents.node import Mistake, Node
from policies.types import RESERVED_NAMES

WIDTH = 110


class Remark(NamedTuple):
    """Something that a person should know about an import.

    Attributes:
        line: where it stands in the file that was read, from 1.
        what: the part that is meant.
        why: what became of it, and what to do.
        lost: whether some of its meaning is not in the result.
    """

    line: int
    what: str
    why: str
    lost: bool = True


class Imported(NamedTuple):
    """What came of one document: the policy's document, and what is to be said about it."""

    document: dict[str, Any]
    remarks: tuple[Remark, ...]

    @property
    def lost(self) -> list[Remark]:
        """What was left out."""
        return [remark for remark in self.remarks if remark.lost]


def slug(name: str, taken: set[str]) -> str:
    """A name as ours are written, and none that is taken."""
    made = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:80] or "rule"
    made = f"agt-{made}" if made in RESERVED_NAMES else made
    number, unique = 1, made
    while unique in taken:
        number += 1
        unique = f"{made}-{number}"
    taken.add(unique)
    return unique


def line_of(node: Node, *path: str | int) -> int:
    """The line of a key, where the path ends in one, or else of what stands there."""
    parent = node.find(path[:-1])
    if path and str(path[-1]) in parent.keys:
        return parent.keys[str(path[-1])][0]
    return node.find(path).line


class _Dumper(yaml.SafeDumper):
    """Writes a value that stands twice out twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write_policy(source: str, imported: Imported) -> str:
    """The policy as YAML, with a comment for every remark above it.

    Args:
        source: the name of the file it came from.
        imported: what came of it.
    """
    dumped = yaml.dump(imported.document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return "\n".join([*_comments(source, imported.remarks), dumped])


def _comments(source: str, remarks: Sequence[Remark]) -> Iterator[str]:
    yield _comment(
        f"Imported from {source}. The cases are what these rules decide: read them, and add your own."
    )
    for lost, title in ((True, "LEFT OUT:"), (False, "Worth knowing:")):
        told = [r for r in remarks if r.lost is lost]
        if told:
            yield f"# {title}"
        for remark in told:
            yield _comment(f"- line {remark.line}: {remark.what}: {remark.why}")


def _comment(text: str) -> str:
    """One line of comment: nothing in a foreign file may end it."""
    return "# " + " ".join("".join(c if c.isprintable() else " " for c in text).split())


class Unusable(Exception):
    """A document cannot be imported at all. `mistake` is why."""

    def __init__(self, mistake: Mistake) -> None:
        """Take what is wrong, and where."""
        super().__init__(str(mistake))
        self.mistake = mistake
