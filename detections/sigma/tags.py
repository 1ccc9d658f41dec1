"""Tags as Sigma writes them, and as findings carry them."""

from collections.abc import Iterable

_SPOKEN = ("owasp.", "atlas.")
"""Namespaces that findings leave out: what follows is known by itself (`ASI05`, `AML.T0051`)."""


def finding_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """`owasp.asi05` as `ASI05`, `atlas.aml.t0051.001` as `AML.T0051.001`; others as they are."""
    return tuple(dict.fromkeys(_spoken(tag) for tag in tags))


def _spoken(tag: str) -> str:
    for namespace in _SPOKEN:
        if tag.startswith(namespace):
            return tag.removeprefix(namespace).upper()
    return tag
