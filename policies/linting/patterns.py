"""Patterns that say nothing, or everything."""

from collections.abc import Iterator, Sequence

from policies.linting.cover import covers, path_covers
from policies.linting.finding import Finding
from policies.linting.ground import Ground, Written
from policies.rule import Match

_TEXTS = ("tenants", "agents", "actions", "resources", "tools", "tool_servers", "models")
_DETECTIONS = ("detections", "recent_detections")
MOST_COMPARED = 200
"""Patterns of one list of which each is compared with each; of longer lists only equal ones are told."""


def find_in_patterns(ground: Ground) -> Iterator[Finding]:
    """PL107 and PL108, of every rule where it is written."""
    for written in ground.written.values():
        match = written.rule.match
        for key in (*_TEXTS, "paths", "hosts", "phases", *_DETECTIONS):
            yield from _repeated(written, key, getattr(match, key))
        for name, patterns in (match.labels or {}).items():
            yield from _repeated(written, "labels", patterns, name)
        if (
            written.rule.effect == "allow"
            and written.rule.when is None
            and _is_everything(written.resolved.match)
        ):
            told = f"{written.told} allows everything, of everyone; name in 'match' what is meant"
            yield written.find("PL108", told, "match")


def _repeated(written: Written, key: str, entries: Sequence[object] | None, *more: str) -> Iterator[Finding]:
    allow = written.rule.effect == "allow"
    texts = [(i, entry) for i, entry in enumerate(entries or ()) if isinstance(entry, str)]
    first: dict[str, int] = {}
    for i, text in texts:
        path: tuple[str | int, ...] = ("match", key, *more, i)
        if text in first:
            yield written.find("PL107", f"{text!r} stands here twice; keep one", *path)
            continue
        first[text] = i
        exact = ("hosts", "phases", *_DETECTIONS, *(() if allow else ("paths",)))
        if len(texts) <= MOST_COMPARED and key not in exact:
            covered = path_covers if key == "paths" else covers
            by = next((t for _, t in texts if t != text and covered(t, text)), None)
            if by is not None:
                yield written.find("PL107", f"{text!r} is among what {by!r} beside it means", *path)


def _is_everything(match: Match) -> bool:
    given = match.model_dump(exclude_none=True)
    return all(key in _TEXTS[:3] and "*" in value for key, value in given.items())
