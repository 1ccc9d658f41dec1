"""One field of the index: from a value to the set of rules it satisfies, at a cost that does not grow."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from documents.pattern import Kind, Pattern, parse_pattern
from policies.bitset import bits
from policies.host_lookup import HostLookup
from policies.hosts import HostPattern, read_host
from policies.path_lookup import PathLookup
from policies.paths import PathPattern, read_path
from policies.rest import Rest, no_rest, resting

MEMO_ENTRIES = 16_384
MEMO_CHARACTERS = 256
"""Longer values are looked up each time, so that a producer cannot fill memory with them."""


class ReadingKind(NamedTuple):
    """How a value is read, how the patterns over its readings are, and how those that hold are found."""

    read: Any
    parse: Any
    lookup: Any


PATHS = ReadingKind(read_path, PathPattern.parse, PathLookup)
HOSTS = ReadingKind(read_host, HostPattern.parse, HostLookup)

Globs = list[tuple[re.Pattern[str], int]]


class Dimension(dict[str | None, int]):
    """Maps a value to its class: values that satisfy the same patterns share one number.

    A class's number is never used again for another set of patterns; `rules_of` gives its rules as a bit set.
    The mapping is a bounded memo, filled as values come and emptied when full: never state.
    """

    def __init__(self, patterns: Sequence[Sequence[str] | None], rest: Rest = no_rest) -> None:
        """Compile. `patterns[i]` are rule i's; None where the rule does not look at this field.

        `rest` is called after each rule, and each pattern.
        """
        super().__init__()
        self._unrestricted = bits(i for i, p in resting(enumerate(patterns), rest) if p is None)
        rules: dict[Pattern, list[int]] = {}
        for i, texts in resting(enumerate(patterns), rest):
            for pattern in {parse_pattern(text) for text in texts or ()}:
                rules.setdefault(pattern, []).append(i)
        self._rules = [bits(places) for places in resting(rules.values(), rest)]
        self._exact: dict[str, int] = {}
        self._prefixes: dict[int, dict[str, int]] = {}
        self._heads: dict[int, dict[str, Globs]] = {}
        self._tails: dict[int, dict[str, Globs]] = {}
        for number, pattern in resting(enumerate(rules), rest):
            self._add(number, pattern)
        self._classes: dict[tuple[int, ...], int] = {}
        self._members: dict[int, int] = {}
        self._next = 0

    def _add(self, number: int, pattern: Pattern) -> None:
        if pattern.kind is Kind.exact:
            self._exact[pattern.text] = number
        elif pattern.kind is Kind.prefix:
            self._prefixes.setdefault(len(pattern.text), {})[pattern.text] = number
        else:
            by_tail = len(pattern.tail) > len(pattern.head)
            side, end = (self._tails, pattern.tail) if by_tail else (self._heads, pattern.head)
            entry = (re.compile(pattern.regex), number)
            side.setdefault(len(end), {}).setdefault(end, []).append(entry)

    def hits(self, value: str | None) -> tuple[int, ...]:
        """The numbers of the patterns that a value satisfies, in a fixed order."""
        if value is None:
            return ()
        found = []
        exact = self._exact.get(value)
        if exact is not None:
            found.append(exact)
        for length, prefixes in self._prefixes.items():
            number = prefixes.get(value[:length])
            if number is not None:
                found.append(number)
        for length, heads in self._heads.items():
            found += [n for regex, n in heads.get(value[:length], ()) if regex.match(value)]
        for length, tails in self._tails.items():
            found += [n for regex, n in tails.get(value[-length:], ()) if regex.match(value)]
        return tuple(found)

    def __missing__(self, value: str | None) -> int:
        """Classify a value seen for the first time, or again after the memo was emptied."""
        hits = self.hits(value)
        if hits not in self._classes:
            self._add_class(hits)
        number = self._classes[hits]
        if value is None or len(value) <= MEMO_CHARACTERS:
            if len(self) >= MEMO_ENTRIES:
                self.clear()
            self[value] = number
        return number

    def _add_class(self, hits: tuple[int, ...]) -> None:
        if len(self._classes) >= MEMO_ENTRIES:
            self.clear()
            self._classes.clear()
            self._members.clear()
        members = self._unrestricted
        for hit in hits:
            members |= self._rules[hit]
        self._classes[hits] = self._next
        self._members[self._next] = members
        self._next += 1

    def rules_of(self, number: int) -> int:
        """The rules satisfied by a class just handed out, as a bit set."""
        return self._members[number]


class ReadingDimension(Dimension):
    """A field that can be read in several ways: as a path, or as a host.

    A rule that restricts is satisfied if any reading lies within one of its patterns, or if the value cannot
    be read safely; a rule that allows only if all readings lie within one and the same pattern.
    """

    def __init__(
        self, patterns: Sequence[Sequence[str] | None], allows: Sequence[bool], kind: ReadingKind
    ) -> None:
        """Compile. `allows[i]` says whether rule i allows."""
        super().__init__([None if p is None else [] for p in patterns])
        self._read = kind.read
        rules: dict[tuple[str, bool], list[int]] = {}
        for i, (texts, allow) in enumerate(zip(patterns, allows, strict=True)):
            for text in dict.fromkeys(texts or ()):
                rules.setdefault((text, allow), []).append(i)
        self._rules = [bits(places) for places in rules.values()]
        self._lookup = kind.lookup([kind.parse(text) for text, _ in rules])
        self._restricting = tuple(i for i, (_, allow) in enumerate(rules) if not allow)
        self._allowing = frozenset(range(len(rules))).difference(self._restricting)

    def hits(self, value: str | None) -> tuple[int, ...]:
        """The numbers of the patterns that a value satisfies, in a fixed order."""
        if value is None:
            return ()
        readings = self._read(value)
        if readings.unreadable:
            return self._restricting
        if not readings.values:
            return ()
        held: list[set[int]] = [self._lookup.holding(reading) for reading in readings.values]
        by_any, by_all = held[0].union(*held[1:]), held[0].intersection(*held[1:])
        return tuple(sorted(by_any - self._allowing | by_all))
