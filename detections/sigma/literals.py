"""Texts that must stand in an action's bytes where a comparison is true of it.

They are sought in the record as it came, ASCII letters in either case. So a literal is a run of ASCII: what
`str.casefold` makes of other characters is not looked for. Some of those become ASCII letters when folded
(the Kelvin sign is a `k`, the ligature U+FB01 is `fi`); a record that has one is folded and sought again.
"""

from itertools import groupby

from detections.sigma.fields import Field, find_field
from detections.sigma.patterns import split_pattern
from detections.sigma.required import Texts, required
from detections.sigma.rule import Atom

LONGEST_LITERAL = 48
_ENCODED_ELSEWHERE = ("phase", "mode", "content_sha256", "arguments_sha256")
"""Fields whose text does not stand in the record's bytes."""
_FLOAT = frozenset("0123456789+-.einf")
"""What the text of a number may be made of that is written otherwise in JSON, such as 1E2; an address, with
several dots, is none."""


SPECIAL = (
    "\u00df\u0130\u0149\u017f\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a"
    "\u1e9e\u212a\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06"
)
"""Every character beyond ASCII that is folded to what holds ASCII (tested against Python's Unicode)."""


def runs(text: str) -> list[str]:
    """The runs of ASCII in a text when it is folded, each cut to the longest literal."""
    folded = text.casefold()
    found = ("".join(group) for ascii_, group in groupby(folded, str.isascii) if ascii_)
    return [run[:LONGEST_LITERAL] for run in found]


def literals(atom: Atom) -> list[Texts]:
    """Sets of texts, one of each of which stands in an action's bytes if a comparison is true of it."""
    field = find_field(atom.field)
    if field is None or atom.op == "null" or (atom.op == "exists" and not atom.value):
        return []
    if field.kind not in ("text", "any") or atom.field in _ENCODED_ELSEWHERE:
        return []
    found = [texts for texts in _texts(atom) if all(_stands(field, text) for text in texts)]
    return found + [frozenset([name]) for name in _names(atom.field)]


def _names(field: str) -> list[str]:
    """What a label or an argument is called stands in the bytes, too."""
    holder, _, rest = field.partition(".")
    if holder == "labels" and rest:
        return [run for run in runs(rest) if run == rest.casefold()]
    if holder == "args" and rest:
        last = rest.rpartition(".")[2]
        return [f'"{last.casefold()}"'] if last.isascii() and len(last) < LONGEST_LITERAL - 2 else []
    return []


def _stands(field: Field, text: str) -> bool:
    """Whether a text of a value stands in the bytes: a number in arguments may be written in other ways."""
    return bool(text) and not (field.kind == "any" and _FLOAT.issuperset(text) and text.count(".") < 2)


def _texts(atom: Atom) -> list[Texts]:
    value = atom.value
    if isinstance(value, bool) and atom.op == "is":
        return [frozenset(["true" if value else "false"])]
    if not isinstance(value, str):
        return []
    if atom.op == "re":
        return required(value)
    found: list[str] = []
    if atom.op in ("is", "contains", "starts", "ends"):
        found = runs(value)
    if atom.op == "like":
        found = [run for part in split_pattern(value) if isinstance(part, str) for run in runs(part)]
    return [frozenset([run]) for run in found]
