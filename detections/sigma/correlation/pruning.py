"""Which entries can still change an answer: of what came in the order of time, that is often a few.

Windows that are still to come end later than every entry, so of two entries that say the same the newer one
suffices. None of this holds where a later event may be placed between earlier ones (`occurred_at`), and for
sums, averages and percentiles every value counts: there nothing is given up before it has expired.
"""

from collections.abc import Callable, Iterable
from math import ceil

from detections.sigma.correlation.asking import chain
from detections.sigma.correlation.entries import Entry
from detections.sigma.correlation.model import NUMERIC, Correlation

Needed = Callable[[list[Entry]], Iterable[Entry]]
"""Of one group's entries, those needed; the newest of the group always is."""


def pruning_of(correlation: Correlation) -> Callable[[list[Entry]], list[Entry]]:
    """What `Window.append` takes."""
    if correlation.clock != "received_at" or correlation.kind in NUMERIC:
        return lambda entries: entries
    needed = _needed_of(correlation)

    def prune(entries: list[Entry]) -> list[Entry]:
        groups: dict[bytes, list[Entry]] = {}
        for entry in entries:
            groups.setdefault(entry.group, []).append(entry)
        wanted = {id(e) for group in groups.values() for e in (group[-1], *needed(group))}
        return [e for e in entries if id(e) in wanted]

    return prune


def _needed_of(correlation: Correlation) -> Needed:
    # one more than the threshold: more than that changes no comparison with it
    most = ceil(correlation.threshold) + 1
    if correlation.kind == "event_count":
        return lambda entries: entries[-most:]
    if correlation.kind == "value_count":
        return lambda entries: _newest_values(entries, most)
    rules = len(correlation.rules)
    if correlation.kind == "temporal":
        return lambda entries: {
            bit: e for e in entries for bit in range(rules) if e.rules >> bit & 1
        }.values()
    return lambda entries: _beginnings(entries, rules)


def _newest_values(entries: list[Entry], most: int) -> list[Entry]:
    """Of each value its newest entry; of so many values, the newest."""
    found: dict[int, Entry] = {}
    for entry in reversed(entries):
        if len(found) == most:
            break
        found.setdefault(entry.value, entry)
    return list(found.values())


def _beginnings(entries: list[Entry], rules: int) -> Iterable[Entry]:
    """For every number of rules from the first on, the chain that begins latest."""
    for length in range(1, rules + 1):
        yield from chain(entries, length) or ()
