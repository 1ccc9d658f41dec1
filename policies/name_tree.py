"""Patterns of paths in a tree, a level a name: those that a path may lie within, without asking each."""

from collections.abc import Iterator, Sequence

from policies.names import ANYTHING, Name, stands_for_several, widen


class NameTree:
    """Sequences of names with wildcards, each with numbers.

    What is found is what `lead_into` would say yes to, and perhaps more.
    """

    __slots__ = ("_ends", "_gap", "_plain", "_wild")

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._plain: dict[str, NameTree] = {}
        self._wild: dict[str, tuple[Name, NameTree]] = {}
        self._gap: NameTree | None = None

    def add(self, names: Sequence[Name], number: int) -> None:
        """Add a pattern's names, `**` at most once among them."""
        tree = self
        for name in names:
            if name.text == ANYTHING:
                tree._gap = tree = tree._gap or NameTree()
            elif name.plain:
                tree = tree._plain.setdefault(name.text, NameTree())
            else:
                tree = tree._wild.setdefault(name.text, (name, NameTree()))[1]
        tree._ends.append(number)

    def leading_into(self, names: Sequence[str], loose: bool) -> Iterator[int]:
        """The numbers of those that a path's names begin with; loosely, a name may stand for several."""
        todo = [(self, 0)]
        while todo:
            tree, at = todo.pop()
            yield from tree._ends
            if loose and names and names[-1] == ANYTHING and tree._gap:
                yield from tree._gap._all()
            elif tree._gap:
                todo += [(tree._gap, i) for i in range(at, len(names))]
            if at < len(names):
                name = names[at]
                if loose and name == ANYTHING:
                    yield from tree._all()
                else:
                    todo += [(beneath, at + 1) for beneath in tree._beneath(name, loose)]

    def _beneath(self, name: str, loose: bool) -> Iterator["NameTree"]:
        if loose and stands_for_several(name):
            wide = Name(widen(name))
            yield from (tree for text, tree in self._plain.items() if text == name or wide.fits(text))
            yield from (tree for pattern, tree in self._wild.values() if pattern.may_fit(name))
            return
        if name in self._plain:
            yield self._plain[name]
        yield from (tree for pattern, tree in self._wild.values() if pattern.fits(name))

    def _all(self) -> Iterator[int]:
        todo = [self]
        while todo:
            tree = todo.pop()
            yield from tree._ends
            todo += [*tree._plain.values(), *(beneath for _, beneath in tree._wild.values())]
            todo += [tree._gap] if tree._gap else []
