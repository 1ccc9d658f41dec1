"""Which branches of rules an action could meet: all that it does, and few that it does not."""

from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any

from detections.sigma.branches import Branch
from detections.sigma.fields import KEYWORDS, text_of
from detections.sigma.gates import ANYWHERE, IN_DEED, Gate, Key, tells_of_deed
from detections.sigma.literals import SPECIAL
from detections.sigma.rule import atoms
from detections.sigma.scan import Scanner
from schemas.action import PHASES, Action
from schemas.arguments import Unreadable

Numbers = tuple[int, ...]
Also = tuple[frozenset[int], ...]
"""Of each of these sets of keys, too, one must be there."""


class Prefilter:
    """The gates of some branches: literals sought in one scan, values looked up; some have no gate.

    Attributes:
        by_deed: whether what is found is a function of the action's deed.
    """

    def __init__(
        self, branches: Sequence[Branch], gates: Sequence[tuple[Gate, ...]], phases: Sequence[str | None]
    ) -> None:
        """Compile the gates of branches, in their order, and the phases of the actions they are about."""
        every = {key for some in gates for gate in some for key in gate}
        self.by_deed = all(map(tells_of_deed, (gate for some in gates for gate in some)))
        self._in_deed = all(key.field != ANYWHERE for key in every)
        texts = sorted({key.text for key in every if key.field in (IN_DEED, ANYWHERE)})
        self._scanner = Scanner([*SPECIAL, *texts] if texts else [])
        numbers = {Key(w, t): len(SPECIAL) + i for i, t in enumerate(texts) for w in (IN_DEED, ANYWHERE)}
        for i, key in enumerate(sorted(every - numbers.keys())):
            numbers[key] = len(SPECIAL) + len(texts) + i
        self._tables = _tables(numbers)
        self._gated = {
            phase: _gated(gates, numbers, [only in (None, phase) for only in phases]) for phase in PHASES
        }
        self._always = {
            phase: tuple(i for i, some in enumerate(gates) if not some and phases[i] in (None, phase))
            for phase in PHASES
        }
        self._asking = tuple(i for i, branch in enumerate(branches) if _asks_arguments(branch))

    def find(self, action: Action, phase: str) -> Collection[int]:
        """The places of branches that may hold, or of which it may not be possible to tell."""
        data = action.deed() if self._in_deed else action.body
        found = self._scanner.find(data)
        if found and min(found) < len(SPECIAL):
            # a length or a number may look like half a character: what follows a length is read right
            text = data.decode("utf-8", "replace").casefold()
            found += self._scanner.find(text.encode())
        unread: Numbers = ()
        if action.arguments is not None and self._asking:
            try:
                parsed = action.parsed()
                if "\\" in action.arguments:
                    found += self._scanner.find(_written_out(parsed).encode())
            except Unreadable:
                unread = self._asking
        for get, table in self._tables:
            value = get(action)
            if value is not None and (number := table.get(value.casefold())):
                found.append(number)
        always = self._always[phase]
        return {*_passing(self._gated[phase], found), *always, *unread} if found or unread else always


def _gated(
    gates: Sequence[tuple[Gate, ...]], numbers: Mapping[Key, int], wanted: Sequence[bool]
) -> dict[int, list[tuple[int, Also]]]:
    """By a key's number: the branches whose first gate it is of, with the numbers of their other gates."""
    found: dict[int, list[tuple[int, Also]]] = {}
    for place, some in enumerate(gates):
        if some and wanted[place]:
            also = tuple(frozenset(numbers[key] for key in gate) for gate in some[1:])
            for key in some[0]:
                found.setdefault(numbers[key], []).append((place, also))
    return found


def _passing(gated: Mapping[int, list[tuple[int, Also]]], found: list[int]) -> set[int]:
    """The branches all of whose gates are among the keys that were found."""
    passing: set[int] = set()
    present: set[int] = set()
    for number in found:
        for place, also in gated.get(number, ()):
            if also:
                present = present or set(found)
                if any(present.isdisjoint(gate) for gate in also):
                    continue
            passing.add(place)
    return passing


def _tables(numbers: Mapping[Key, int]) -> list[tuple[Any, dict[str, int]]]:
    """By each field that is looked up: how it is read, and the keys' numbers by its value."""
    tables: dict[str, dict[str, int]] = {}
    for key, number in numbers.items():
        if key.field not in (IN_DEED, ANYWHERE):
            tables.setdefault(key.field, {})[key.text] = number
    return [(attrgetter(field), table) for field, table in tables.items()]


def _asks_arguments(branch: Branch) -> bool:
    """Whether it may be impossible to tell where the arguments cannot be read."""
    every = (atom for part in branch for atom in atoms(part))
    names = (name for atom in every for name in (atom.field, atom.op == "ref" and atom.value))
    return any(isinstance(n, str) and (n in ("args", KEYWORDS) or n.startswith("args.")) for n in names)


def _written_out(parsed: dict[str, Any]) -> str:
    """Every key in quotes and every value of parsed arguments, without escapes, folded."""
    found: list[str] = []
    left: list[Any] = [parsed]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            found += [f'"{key}"' for key in value]
            left += value.values()
        elif isinstance(value, list):
            left += value
        else:
            found.append(text_of(value) or "")
    return "\n".join(found).casefold()
