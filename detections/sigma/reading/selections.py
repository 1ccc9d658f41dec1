"""What stands under `detection:`, looked at value by value, so that each mistake has its own place."""

from collections.abc import Iterator
from typing import Any

from sigma.exceptions import SigmaError
from sigma.modifiers import modifier_mapping
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RE2RegexEngine
from sigma.rule import SigmaDetectionItem

from detections.sigma.expression import compile_expression
from detections.sigma.reading.atoms import Refused
from detections.sigma.reading.mistakes import Path, Told, words_of
from detections.sigma.reading.values import Comparisons
from documents.node import Node

ALIASES = {"utf16le": "wide"}
"""Modifiers of the specification that pySigma knows by another name."""
MODIFIERS = tuple(sorted({*modifier_mapping, *ALIASES}))


class _Expressions(RE2RegexEngine):
    """Lets every expression of a value pass: our own check is told with a place and with what to do."""

    def compile(self, pattern: str, flags: int = 0) -> Any:
        try:
            return compile_expression(pattern, "")
        except ValueError:
            return compile_expression("", "")

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Expressions":
        return self  # filters copy what they filter with, and the engine holds a module


POLICY = SigmaPolicy(regex_engine=_Expressions())


def spelled(value: Any) -> Any:
    """Selections with modifiers spelled as pySigma spells them."""
    if isinstance(value, dict):
        return {_spelled_key(str(key)): spelled(one) for key, one in value.items()}
    return [spelled(one) for one in value] if isinstance(value, list) else value


def _spelled_key(key: str) -> str:
    field, *modifiers = key.split("|")
    return "|".join([field, *(ALIASES.get(modifier, modifier) for modifier in modifiers)])


class Selections:
    """Checks the selections of one document."""

    def __init__(self, told: Told, comparisons: Comparisons) -> None:
        """Tell mistakes to `told`."""
        self._told = told
        self._comparisons = comparisons

    def check(self, path: Path, other: tuple[str, ...] = ("condition",)) -> None:
        """Look at every value beneath a path, but for keys that are no selections."""
        node = self._told.node.find(path)
        if isinstance(node.value, dict):  # what is no mapping is told by pySigma
            for name, child in node.children.items():
                if name not in other:
                    self._selection(child, (*path, name))

    def _selection(self, node: Node, path: Path) -> None:
        if isinstance(node.value, dict):
            for key, child in node.children.items():
                self._item(str(key), child, (*path, key))
        elif isinstance(node.value, list) and any(isinstance(one, dict | list) for one in node.value):
            for place, child in node.children.items():
                self._selection(child, (*path, place))
        else:
            self._item(None, node, path)

    def _item(self, key: str | None, node: Node, path: Path) -> None:
        """A field with its values, or keywords."""
        field, *modifiers = (key or "").split("|")
        unknown = [m for m in modifiers if m not in MODIFIERS]
        if unknown:
            known = ", ".join(MODIFIERS)
            self._told.key_at(path, f"there is no modifier {unknown[0]!r}; the modifiers are: {known}")
            return
        if not isinstance(node.value, list):
            self._value(key, node.value, path)
            return
        if not node.value and not field:
            self._told.at(path, "an empty list of keywords; write one, or remove it")
        for place, value in enumerate(node.value):
            if value is None:
                self._told.at((*path, place), "null cannot stand in a list; give it a selection of its own")
            else:
                self._value(key, value, (*path, place))

    def _value(self, key: str | None, value: Any, path: Path) -> None:
        if isinstance(value, dict | list):
            self._told.at(path, "a value is a text, a number, true, false or null; indent it less")
            return
        if value is None and not (key or "").split("|")[0]:
            self._told.at(path, "null is asked of a field; write 'field: null'")
            return
        try:
            for _ in self._made(key, value):
                pass
        except Refused as error:
            self._told.at(path, str(error))
        except SigmaError as error:
            self._told.at(path, words_of(error))

    def _made(self, key: str | None, value: Any) -> Iterator[Any]:
        written = None if key is None else _spelled_key(key)
        item: Any = SigmaDetectionItem.from_mapping(written, value, policy=POLICY)
        for one in item.value:
            yield self._comparisons.make(item.field, one)
