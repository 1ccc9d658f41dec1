"""Whether one rule matches all that another one does. Never said unless it is certain."""

from collections.abc import Callable, Sequence

from documents.pattern import Kind, parse_pattern
from policies.hosts import host_inside, host_touches
from policies.linting.cover import covers, path_covers
from policies.linting.spans import span_of
from policies.paths import path_inside, path_touches
from policies.rule import Fields, Match, Rule
from schemas.verdict import RANK, Effect

_TEXTS = (
    "tenants",
    "agents",
    "actions",
    "tools",
    "tool_servers",
    "models",
    "phases",
    "detections",
    "recent_detections",
)
_FIELDS = tuple(Fields.model_fields)


def matches_all_of(wide: Rule, narrow: Rule) -> bool:
    """Whether `wide` matches, or has failed with a stronger effect, wherever `narrow` matches or fails.

    Both with names written out.
    """
    return (
        _match_covers(wide, narrow)
        and _fields_cover(wide.match, narrow.match)
        and (wide.when is None or wide.condition() == narrow.condition())
        and (wide.limit is None or wide.limit == narrow.limit)
        and _fails_alike(wide, narrow)
    )


def _fails_alike(wide: Rule, narrow: Rule) -> bool:
    """A rule that cannot be judged has the effect of its on_error: so that must be no stronger."""
    if not _may_fail(narrow):
        return True
    said = [Effect[wide.effect]] if not _may_fail(wide) else [Effect[wide.effect], Effect[wide.on_error]]
    return all(RANK[effect] >= RANK[Effect[narrow.on_error]] for effect in said)


def _may_fail(rule: Rule) -> bool:
    return rule.when is not None or rule.limit is not None or rule.match.fields is not None


def _match_covers(wide: Rule, narrow: Rule) -> bool:
    a, b, allow = wide.match, narrow.match, narrow.effect == "allow"
    return (
        all(_lists_cover(getattr(a, key), getattr(b, key), covers) for key in _TEXTS)
        and _labels_cover(a, b)
        and _resources_cover(a, b)
        and _lists_cover_or_read(
            a.paths, b.paths, b, _PATH_READERS[wide.effect == "allow"], path_covers if allow else _paths_alike
        )
        and _lists_cover_or_read(a.hosts, b.hosts, b, _HOST_READERS[wide.effect == "allow"], _same)
    )


def _lists_cover(
    wide: Sequence[object] | None, narrow: Sequence[object] | None, one: Callable[[str, str], bool]
) -> bool:
    if wide is None:
        return True
    return narrow is not None and all(any(one(str(w), str(n)) for w in wide) for n in narrow)


def _labels_cover(wide: Match, narrow: Match) -> bool:
    own = narrow.labels or {}
    return all(
        _lists_cover(patterns, own.get(name), covers) for name, patterns in (wide.labels or {}).items()
    )


def _resources_cover(wide: Match, narrow: Match) -> bool:
    everything = wide.resources is not None and "*" in map(str, wide.resources)
    return everything or _lists_cover(wide.resources, narrow.resources, covers)


def _paths_alike(wide: str, narrow: str) -> bool:
    """What might lie within a place need not touch the place around it: see `path_covers`."""
    return wide in (narrow, "/")


def _same(wide: str, narrow: str) -> bool:
    return wide == narrow


Reader = Callable[[str, str], bool]
_PATH_READERS: tuple[Reader, Reader] = (path_touches, path_inside)
_HOST_READERS: tuple[Reader, Reader] = (host_touches, host_inside)


def _lists_cover_or_read(
    wide: Sequence[object] | None,
    narrow: Sequence[object] | None,
    other: Match,
    reader: Reader,
    one: Callable[[str, str], bool],
) -> bool:
    """By patterns; or, where the other rule names whole texts, by reading each of them."""
    if wide is None or _lists_cover(wide, narrow, one):
        return True
    texts = [parse_pattern(str(r)) for r in other.resources or ()]
    if not texts or any(t.kind is not Kind.exact for t in texts):
        return False
    return all(any(reader(t.text, str(w)) for w in wide) for t in texts)


def _fields_cover(wide: Match, narrow: Match) -> bool:
    if wide.fields is None:
        return True
    for name in _FIELDS:
        asked = getattr(wide.fields, name)
        own = getattr(narrow.fields, name) if narrow.fields else None
        if asked is not None and (own is None or not span_of(name, asked).holds(span_of(name, own))):
            return False
    return True
