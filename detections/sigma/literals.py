"""Texts that must stand in an action's bytes where a comparison is true of it.

They are sought in the record as it came, ASCII letters in either case. So a literal is a run of ASCII: what
`str.casefold` makes of other characters is not looked for. Some of those become ASCII letters when folded
(the Kelvin sign is a `k`, the ligature U+FB01 is `fi`); a record that has one is folded and sought again.
"""

import re
from itertools import groupby

from detections.sigma.fields import KEYWORDS, Field, find_field
from detections.sigma.patterns import split_pattern
from detections.sigma.rule import Atom

LONGEST_LITERAL = 48
_ENCODED_ELSEWHERE = ("phase", "mode", "content_sha256", "arguments_sha256")
"""Fields whose text does not stand in the record's bytes."""
_FLOAT = frozenset("0123456789+-.einf")
"""What the text of a number may be made of that is written otherwise in JSON, such as 1E2."""


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


def literals(atom: Atom) -> list[str]:
    """Texts, each of which must stand in an action's bytes if a comparison is true; none: cannot be told."""
    field = find_field(atom.field)
    if field is None or atom.op == "null" or (atom.op == "exists" and not atom.value):
        return []
    named = _names(atom.field)
    if field.kind not in ("text", "any") or atom.field in _ENCODED_ELSEWHERE:
        return []
    return named + [run for run in _texts(atom) if run and _stands(field, atom.field, run)]


def _names(field: str) -> list[str]:
    """What a label or an argument is called stands in the bytes, too."""
    holder, _, rest = field.partition(".")
    if holder == "labels" and rest:
        return [run for run in runs(rest) if run == rest.casefold()]
    if holder == "args" and rest:
        last = rest.rpartition(".")[2]
        return [f'"{last.casefold()}"'] if last.isascii() and len(last) < LONGEST_LITERAL - 2 else []
    return []


def _stands(field: Field, name: str, run: str) -> bool:
    """Whether a text of a value stands in the bytes: a number in arguments may be written in other ways."""
    parsed = field.kind == "any" or name == KEYWORDS
    return not (parsed and _FLOAT.issuperset(run))


def _texts(atom: Atom) -> list[str]:
    value = atom.value
    if isinstance(value, bool) and atom.op == "is":
        return runs("true" if value else "false")
    if not isinstance(value, str):
        return []
    if atom.op in ("is", "contains", "starts", "ends"):
        return runs(value)
    if atom.op == "like":
        return [run for part in split_pattern(value) if isinstance(part, str) for run in runs(part)]
    return required(value) if atom.op == "re" else []


_TOKEN = re.compile(
    r"""(?P<class>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])
    |\\(?P<plain>[^0-9A-Za-z])
    |(?P<several>\\[pPx]\{[^}]*\}|\\[pP].|\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\.)
    |(?P<mark>[()|])
    |(?P<char>[^\\.^$*+?{}\[\]])
    |(?P<other>.)""",
    re.S | re.X,
)
_REPEATED = re.compile(r"\?|\*|\+|\{[0-9,]*\}")


def required(pattern: str) -> list[str]:
    """Runs of ASCII that a text must hold if a regular expression is found in it; few, but never a wrong one.

    Only what stands outside groups and classes is looked at, and nothing where `|` stands there.
    """
    found = [""]
    depth = at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None or token[0] == "\\Q" or (token[0] == "|" and not depth):
            return []
        depth += {"(": 1, ")": -1}.get(token[0], 0) if token["mark"] else 0
        char = None if depth or token["mark"] else token["plain"] or token["char"]
        repeated = _REPEATED.match(pattern, token.end())
        if char and (repeated is None or repeated[0] == "+"):
            found[-1] += char
        if char is None or repeated:
            found.append("")
        at = repeated.end() if repeated else token.end()
    return [run for text in found for run in runs(text)]
