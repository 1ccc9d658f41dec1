"""What differs between two bundles: values, for people and machines. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from detections.carried import Content as Carried
from detections.carried import read_content
from policies.bundle import BundlePolicy, Content

ABSENT = None
Flat = dict[str, Any]


class Change(NamedTuple):
    """A key that differs; `old` or `new` is None where it is absent.

    For lists of texts, `removed` and `added` say which entries; both empty where only their order differs.
    """

    key: str
    old: Any
    new: Any
    removed: tuple[Any, ...] = ()
    added: tuple[Any, ...] = ()


class Difference(NamedTuple):
    """Something that was added, removed or changed.

    Attributes:
        kind: rule, policy, list, detections, detection rule or exception.
        name: of a rule policy/rule, of a list its name; a detector's.
        what: added, removed, changed or moved (a rule that is in another policy now).
        effect: of an added or removed rule; of one whose effect changed, old -> new.
        changes: key by key.
    """

    kind: str
    name: str
    what: str
    effect: str = ""
    changes: tuple[Change, ...] = ()


def differences(old: Content, new: Content) -> list[Difference]:
    """All that differs in how the two judge, policy after policy."""
    found = list(_policies(_by_name(old), _by_name(new)))
    found += _rules(old, new)
    found += _named("list", old.lists, new.lists)
    was, now = (read_content(content.detections, content.detected)[0] for content in (old, new))
    found += _named("detections", was.settings.written(), now.settings.written())
    found += _named("detection rule", _sigma(was), _sigma(now))
    found += _named("exception", _exceptions(was), _exceptions(now))
    return found


def _sigma(content: Carried) -> Mapping[str, Any]:
    """Rules and correlations in Sigma, by name."""
    rules = {rule.name: rule.to_json() for rule in content.rules}
    return rules | {c.name: c.to_json() for c in content.correlations}


def _exceptions(content: Carried) -> Mapping[str, Any]:
    return {e.id: e.model_dump(mode="json", exclude_none=True) for e in content.exceptions}


def _by_name(content: Content) -> dict[str, BundlePolicy]:
    return {policy.name: policy for policy in content.policies}


def _policies(old: Mapping[str, BundlePolicy], new: Mapping[str, BundlePolicy]) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        if name not in old:
            yield Difference("policy", name, "added", new[name].mode)
        elif name not in new:
            yield Difference("policy", name, "removed", old[name].mode)
        elif old[name].mode != new[name].mode:
            change = Change("mode", old[name].mode, new[name].mode)
            yield Difference("policy", name, "changed", changes=(change,))


def _rules(old: Content, new: Content) -> Iterator[Difference]:
    was, now = _flat_rules(old), _flat_rules(new)
    gone, come = [n for n in was if n not in now], [n for n in now if n not in was]
    moved = _moved(gone, come, was, now)
    for name in sorted({*was, *now}):
        if name in moved.values():
            continue
        if name in moved:
            yield Difference("rule", f"{name} -> {moved[name]}", "moved", str(was[name]["effect"]))
        elif name not in was:
            yield Difference("rule", name, "added", str(now[name]["effect"]), _changes({}, now[name]))
        elif name not in now:
            yield Difference("rule", name, "removed", str(was[name]["effect"]), _changes(was[name], {}))
        elif was[name] != now[name]:
            effects = was[name]["effect"], now[name]["effect"]
            effect = "" if effects[0] == effects[1] else f"{effects[0]} -> {effects[1]}"
            yield Difference("rule", name, "changed", effect, _changes(was[name], now[name]))


def _moved(
    gone: Sequence[str], come: Sequence[str], was: Mapping[str, Flat], now: Mapping[str, Flat]
) -> dict[str, str]:
    """Rules that are the same in another policy, or under another id, by their old names."""
    found: dict[str, str] = {}
    for name in gone:
        same = [other for other in come if other not in found.values() and now[other] == was[name]]
        if same:
            found[name] = same[0]
    return found


def _flat_rules(content: Content) -> dict[str, Flat]:
    return {
        f"{policy.name}/{rule.id}": _flat(rule.model_dump(mode="json", exclude_none=True, exclude={"id"}))
        for policy in content.policies
        for rule in policy.rules
    }


def _flat(value: Any, within: str = "") -> Flat:
    """Nested keys as one, joined by dots; lists are values."""
    if not isinstance(value, dict) or not value:
        return {within: value} if within else {}
    found: Flat = {}
    for key, part in value.items():
        found |= _flat(part, f"{within}.{key}" if within else str(key))
    return found


def _changes(old: Flat, new: Flat) -> tuple[Change, ...]:
    keys = [*old, *(key for key in new if key not in old)]
    return tuple(_change(k, old.get(k), new.get(k)) for k in keys if old.get(k) != new.get(k))


def _change(key: str, old: Any, new: Any) -> Change:
    if isinstance(old, list) and isinstance(new, list):
        removed = tuple(entry for entry in old if entry not in new)
        return Change(key, old, new, removed, tuple(entry for entry in new if entry not in old))
    return Change(key, old, new)


def _named(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted({*old, *new}):
        if name not in old:
            yield Difference(kind, name, "added", changes=_changes({}, _entries(new[name])))
        elif name not in new:
            yield Difference(kind, name, "removed", changes=_changes(_entries(old[name]), {}))
        elif old[name] != new[name]:
            changes = _changes(_entries(old[name]), _entries(new[name]))
            yield Difference(kind, name, "changed", changes=changes)


def _entries(value: Any) -> Flat:
    return _flat(value) if isinstance(value, dict) else {"entries": value}
