"""Other names of the place that a pattern means."""

from collections.abc import Iterable, Iterator

from policies.links import LINKS, walk
from policies.places import Place
from policies.readings import compose, fold

ANY_DRIVE = "*:"

_HOMES = (
    Place("/", ("home", "*")),
    Place("/", ("root",)),
    Place("/", ("users", "*")),
    Place(ANY_DRIVE, ("users", "*")),
)
"""Where home folders are, wildcards as in a pattern."""

_MORE_HOMES = (
    Place("/", ("var", "root")),
    Place("/", ("export", "home", "*")),
    Place("/", ("usr", "home", "*")),
    Place(ANY_DRIVE, ("documents and settings", "*")),
)
"""More of them, too far from their beginnings to be told from other folders the other way round."""


def folded(place: Place) -> Place:
    """A place without regard to case and compatibility forms."""
    return Place(fold(place.root), tuple(map(fold, place.names)))


def same_places(place: Place) -> list[Place]:
    """A place under the names that usual links give it."""
    found = [place, Place(place.root, tuple(map(compose, place.names)))]
    if place.root == "/":
        found.append(Place(*walk(place.names)))
        for source, target in LINKS.items():
            if target and place.names[: len(target)] == target:
                found.append(Place("/", source + place.names[len(target) :]))
    return list(dict.fromkeys(found))


def loosely(found: Iterable[Place]) -> Iterator[Place]:
    """Places as a suspicion sees them: a home is any home, and a drive need not be said."""
    for place in found:
        yield place
        if place.root == "~":
            yield from (Place(h.root, h.names + place.names) for h in (*_HOMES, *_MORE_HOMES))
        for home in _HOMES:
            drive = home.root == ANY_DRIVE and place.root[1:] == ":"
            pairs = zip(home.names, place.names, strict=False)
            if (drive or home.root == place.root) and all(a in ("*", b) or b == "*" for a, b in pairs):
                yield Place("~", place.names[len(home.names) :])
        if place.root[1:] == ":" and place.names:
            yield Place("/", place.names)
