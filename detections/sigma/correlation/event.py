"""What a correlation takes from an event: its time, its groups, what it counts of it.

A group is told by the values of its fields (`detections.sigma.fields`), as typed texts: 1 and "1" differ, and
so do "a" and "A"; 1 and 1.0 are the same. What is null, a mapping or an empty list is left out; of a list its
elements count in their order. A field without a value is one group of its own: an event that has it not is
counted together with others that have it not, and never left out.
"""

import struct
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from detections.sigma.correlation.entries import Entry
from detections.sigma.correlation.model import NUMERIC, VALUED, Correlation
from detections.sigma.correlation.numbers import millionths
from detections.sigma.fields import Reader, Scalar, make_reader, text_of
from schemas.action import Action


class Reading(NamedTuple):
    """How an event is read that one rule matched: its groups' fields, and those that are counted."""

    groups: tuple[Reader, ...]
    values: tuple[Reader, ...]


def readings_of(correlation: Correlation) -> tuple[Reading, ...]:
    """One reading a rule; one in all where there is no alias, as then they are all the same.

    Raises:
        KeyError: there is no such field.
    """
    rules = correlation.rules if correlation.aliases else correlation.rules[:1]

    def readers(names: Sequence[str], rule: str) -> tuple[Reader, ...]:
        return tuple(make_reader(correlation.field_for(name, rule)) for name in names)

    return tuple(
        Reading(readers(correlation.group_by, rule), readers(correlation.fields, rule)) for rule in rules
    )


def time_of(action: Action, clock: str, skew_ms: int) -> int:
    """The time of an event in milliseconds: when it was received, or what it claims within the skew."""
    if clock == "received_at":
        return action.received_at
    claimed = int(action.get("occurred_at")) // 1000
    return min(max(claimed, action.received_at - skew_ms), action.received_at + skew_ms)


def keyed(values: Sequence[Scalar]) -> str:
    """Values as one text, each with its type and length in bytes before it; empty for none."""
    texts = [_typed(value) for value in values]
    return "".join(f"{len(text.encode())}:{text}" for text in texts if text)


def _typed(value: Scalar) -> str:
    if isinstance(value, bool):
        return "b1" if value else "b0"
    if isinstance(value, str):
        return "s" + value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        value = int(value)
    return f"n{text_of(value)}" if isinstance(value, int | float) else ""


def digest(parts: Sequence[str]) -> bytes:
    """Eight bytes for some texts: of a million of them two are the same with a probability of 3·10^-8."""
    framed = (len(raw := part.encode()).to_bytes(4, "little") + raw for part in parts)
    return sha256(b"".join(framed)).digest()[:8]


def entries_of(
    correlation: Correlation, readings: Sequence[Reading], mask: int, action: Action, at: int
) -> Iterator[Entry]:
    """The entries of an event, one for each group that its rules put it into; `held` is still 0.

    Where the kind counts values, a rule by which the event has none is left out; of several rules in a group
    the value is that of the first.

    Raises:
        ValueError: the arguments cannot be read, a number cannot be counted, or the event id is no UUID.
    """
    event = bytes.fromhex(action.event_id.replace("-", ""))
    if len(event) != 16:
        raise ValueError(f"event id {action.event_id[:100]!r} is no UUID")
    found: dict[bytes, Entry] = {}
    for i, reading in enumerate(readings):
        rules = mask & 1 << i if correlation.aliases else mask
        value = _value(correlation.kind, reading, action) if rules else None
        if value is None:
            continue
        group = digest([keyed(read(action)) for read in reading.groups])
        known = found.get(group) or Entry(at, group, 0, 0, event, value)
        found[group] = known._replace(rules=known.rules | rules)
    yield from found.values()


def _value(kind: str, reading: Reading, action: Action) -> int | None:
    """What of an event is counted, 0 where that is the event itself; None for nothing."""
    if kind not in VALUED:
        return 0
    if kind in NUMERIC:
        values: tuple[Any, ...] = reading.values[0](action)
        return millionths(values[0]) if len(values) == 1 else None
    texts = [keyed(read(action)) for read in reading.values]
    if not all(texts):
        return None
    number: int = _NUMBER.unpack(digest(texts))[0]
    return number


_NUMBER = struct.Struct("<q")
