"""Which of many path patterns hold, without asking each."""

from collections.abc import Iterator, Sequence

from policies.aliases import ANY_DRIVE
from policies.name_tree import NameTree
from policies.names import stands_for_several
from policies.path_pattern import LOOSE, Form, PathPattern, as_windows, is_vague
from policies.places import Place, split
from policies.readings import fold


class PathLookup:
    """Path patterns by how the places that they mean begin."""

    def __init__(self, patterns: Sequence[PathPattern]) -> None:
        """Take patterns; their places are their numbers."""
        self._patterns = patterns
        self._everywhere = [i for i, pattern in enumerate(patterns) if pattern.everywhere]
        self._forms = {
            (windows, loose): _Forms(
                [
                    (form, i)
                    for i, pattern in enumerate(patterns)
                    if pattern.windows is windows and not pattern.everywhere
                    for form in (pattern.loose if loose else pattern.strict)
                ]
            )
            for windows in (False, True)
            for loose in (False, True)
        }

    def holding(self, reading: str) -> set[int]:
        """The numbers of the patterns that one of `read_path`'s readings lies within."""
        loose = reading.endswith(LOOSE)
        bare = reading[: -len(LOOSE)] if loose else reading
        near = set(self._forms[False, loose].near(bare, loose))
        if self._forms[True, loose].some:
            near.update(self._forms[True, loose].near(as_windows(fold(bare)), loose))
        return {*self._everywhere, *(i for i in near if self._patterns[i].holds(reading))}


class _Forms:
    """Forms of patterns: literal ones by their texts, the others, or all of them, by root and names."""

    def __init__(self, forms: Sequence[tuple[Form, int]]) -> None:
        self.some = bool(forms)
        self._starts: dict[str, list[int]] = {}
        for form, i in forms:
            if form.literal:
                self._starts.setdefault(form.start, []).append(i)
        self._wild = _Trees([(form, i) for form, i in forms if not form.literal])
        self._all = _Trees(forms)

    def near(self, reading: str, loose: bool) -> Iterator[int]:
        """The numbers of those that a reading may lie within; and perhaps a few more."""
        slash = reading.find("/")
        while slash >= 0:
            yield from self._starts.get(reading[: slash + 1], ())
            slash = reading.find("/", slash + 1)
        yield from self._starts.get(reading + "/", ())
        trees = self._all if loose and is_vague(reading) else self._wild
        if trees.some:
            yield from trees.near(split(reading), loose)


class _Trees:
    """Forms by root and names."""

    def __init__(self, forms: Sequence[tuple[Form, int]]) -> None:
        self.some = bool(forms)
        self._roots: dict[str, NameTree] = {}
        self._anywhere = NameTree()
        self._named: dict[str, list[int]] = {}
        self._wild: list[int] = []
        self._numbers = [i for _, i in forms]
        for form, i in forms:
            tree = self._anywhere if form.anywhere else self._roots.setdefault(form.root, NameTree())
            tree.add(form.names, i)
            for name in form.names:
                (self._named.setdefault(name.text, []) if name.plain else self._wild).append(i)

    def near(self, place: Place, loose: bool) -> Iterator[int]:
        """The numbers of those that a place may lie within."""
        if place.root == "..":
            yield from self._ending_in(place.names) if loose else ()
            return
        roots = {place.root}
        if loose and place.root == "//":
            roots.add("/")
        if loose and place.root[1:] == ":":
            roots.add(ANY_DRIVE)
        for root in roots:
            if root in self._roots:
                yield from self._roots[root].leading_into(place.names, loose)
        yield from self._anywhere.leading_into(place.names, loose)

    def _ending_in(self, names: Sequence[str]) -> list[int]:
        """From a folder that is not known, upwards: those with the first name that then comes anywhere."""
        if not names:
            return []
        if stands_for_several(names[0]):
            return self._numbers
        return [*self._named.get(names[0], ()), *self._wild]
