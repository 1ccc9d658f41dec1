"""Which rules an action could match: all that do, and few that do not. It only ever errs to that side."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from detections.sigma.fields import KEYWORDS, text_of
from detections.sigma.gates import Gate, Key
from detections.sigma.literals import SPECIAL
from detections.sigma.rule import SigmaRule, atoms
from detections.sigma.scan import Scanner
from schemas.action import Action
from schemas.arguments import Unreadable

Places = tuple[int, ...]


class Prefilter:
    """The gates of some rules: literals sought in one scan, values looked up, and rules without a gate."""

    def __init__(self, rules: Sequence[SigmaRule], gates: Sequence[Gate | None]) -> None:
        """Compile the gates of rules, in the rules' order; None where a rule has none."""
        gated = _by_key(gates)
        texts = sorted(key.text for key in gated if key.field is None)
        self._scanner = Scanner([*SPECIAL, *texts] if texts else [])
        self._by_text: list[Places] = [()] * len(SPECIAL) + [gated[Key(None, text)] for text in texts]
        self._tables = _tables(gated)
        self._always = tuple(i for i, gate in enumerate(gates) if gate is None)
        self._asking = tuple(i for i, rule in enumerate(rules) if _asks_arguments(rule))

    def find(self, action: Action) -> Collection[int]:
        """The places of rules that may match, or of which it may not be possible to tell."""
        found = self._scanner.find(action.body)
        if found and min(found) < len(SPECIAL):
            # a length or a number may look like half a character: what follows a length is read right
            text = action.body.decode("utf-8", "replace").casefold()
            found += self._scanner.find(text.encode())
        unread: Places = ()
        if action.arguments is not None and self._asking:
            try:
                parsed = action.parsed()
                if "\\" in action.arguments:
                    found += self._scanner.find(_written_out(parsed).encode())
            except Unreadable:
                unread = self._asking
        looked_up = self._look_up(action)
        if not found and not looked_up and not unread:
            return self._always
        places = {*self._always, *looked_up, *unread}
        for text_place in found:
            places.update(self._by_text[text_place])
        return places

    def _look_up(self, action: Action) -> Places:
        found: Places = ()
        for get, table in self._tables:
            value = get(action)
            if value is not None:
                found += table.get(value.casefold(), ())
        return found


def _by_key(gates: Iterable[Gate | None]) -> dict[Key, Places]:
    found: dict[Key, list[int]] = {}
    for place, gate in enumerate(gates):
        for key in gate or ():
            found.setdefault(key, []).append(place)
    return {key: tuple(places) for key, places in found.items()}


def _tables(gated: Mapping[Key, Places]) -> list[tuple[Any, dict[str, Places]]]:
    """By each field that is looked up: how it is read, and the rules by its value."""
    tables: dict[str, dict[str, Places]] = {}
    for key, places in gated.items():
        if key.field is not None:
            tables.setdefault(key.field, {})[key.text] = places
    return [(attrgetter(field), table) for field, table in tables.items()]


def _asks_arguments(rule: SigmaRule) -> bool:
    """Whether it may be impossible to tell where the arguments cannot be read."""
    names = (name for atom in atoms(rule.condition) for name in (atom.field, atom.op == "ref" and atom.value))
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
