"""Producers' numbering: what is missing at the source, what is repeated, who writes under an old epoch.

A producer that numbers its events (`producer_id` is set) counts them per epoch and agent, from 0, without a
hole; its epoch is one more at each start. The last event of an epoch is the action `close:producer`, whose
number n is the closing count: n events came before it. Actions without `producer_id`, or with a negative
number or epoch, are not numbered: nothing happens.

Findings name what is missing, what came late after all, an epoch without closing count (once its successor
begins), a closing count that is not what came, and an epoch that goes backwards. A repeated number is no
finding: the verdict says of which action it is a duplicate, and it is judged and counts like any other.

What is remembered is bounded (`detections.source_cell`): of 8 epochs, by when they were heard last, and of 12
holes. What was given up for newer is never guessed at: of an epoch that may have been forgotten, and of
numbers in a forgotten hole, nothing is said. So a finding or a mark can be wanting, where more was going on;
`praetor reconcile` knows no such limit. An agent that was known before its first numbered action (an earlier
engine kept no such cell) may begin anywhere.
"""

from detections.detector import Findings
from detections.source_cell import (
    CLOSED,
    FRONT,
    NAME_AT,
    NAME_BYTES,
    OVERRUN,
    REGRESSED,
    SUPERSEDED,
    VERSION,
    Epoch,
    name_of,
    read_cell,
    split_source,
    write_cell,
)
from detections.source_findings import filled, gap, miscounted, overrun, regression, unclosed
from schemas.action import Action
from schemas.verdict import Finding

CELL = "source"
CLOSING = "close:producer"

ON = ("source-gap", "source-regression", "source-duplicate")
"""What is on, each a bit of what `observe` says, the first the lowest: events are missing from a producer's
newest epoch; this action is new in an old epoch; this action is a repeated one."""
IDS = (*ON, "source-filled", "source-unclosed", "source-miscounted")
"""What rules may match: the latter are on at the action that shows it."""
GAP, REGRESSION, DUPLICATE = 1, 2, 4

LONGEST_ID = 1_000

Numbered = tuple[bytes, int]
Seen = tuple[bytes | None, Findings, int, str | None]
"""The cell after the action (the object given where nothing changed), findings, bits, what is repeated."""

_unpack = FRONT.unpack_from
_pack = FRONT.pack


def observe(action: Action, numbered: Numbered, cell: bytes | None, begun: bool) -> Seen:
    """Follow the producer's numbering.

    Args:
        action: the action.
        numbered: what its `numbered()` gives.
        cell: the agent's; None or empty for one without.
        begun: whether the agent is known from earlier actions.

    Raises:
        ValueError, struct.error: the cell is none of ours.
    """
    source, seq = numbered
    # nearly every action is the next of the producer that was heard last
    if cell and cell.startswith(source, NAME_AT) and action.action != CLOSING:
        version, evicted, opened, flags, holes, _, upto = _unpack(cell)
        if seq == upto and not flags and version == VERSION:
            front = _pack(VERSION, evicted, opened, 0, holes, action.received_at, seq + 1)
            return front + cell[FRONT.size :], (), GAP if opened else 0, None
    producer, number = split_source(source)
    if not cell and seq == 0 <= number and len(producer) <= NAME_BYTES and action.action != CLOSING:
        return _pack(VERSION, 0, 0, 0, 0, action.received_at, 1) + bytes(8) + source, (), 0, None
    known = read_cell(cell)
    if seq < 0 or number < 0:
        return cell, (), 0, None
    name = name_of(producer)
    epoch, newest = known.find(name, number), known.newest(name)
    if epoch is not None and _repeats(epoch, seq):
        shown = producer if len(producer) <= LONGEST_ID else name
        bits = DUPLICATE | (GAP if known.open() else 0)
        return cell, (), bits, f"{shown.decode()}/{number}/{seq}"
    if epoch is None and newest is not None and newest.number > number:
        found = _tell_regression(action, newest, number)
        return write_cell(known), found, REGRESSION | (GAP if known.open() else 0), None
    found = ()
    if epoch is None:
        epoch = Epoch(name, number)
        found = _begin(action, epoch, seq, newest, (begun and not cell) or known.evicted)
    back = False
    if newest is not None and newest.number > number:
        epoch.flags |= SUPERSEDED
        back = seq >= epoch.next
        if back:
            found += _tell_regression(action, newest, number)
    found += _arrive(action, epoch, seq)
    known.hear(epoch, action.received_at)
    bits = (REGRESSION if back else 0) | (GAP if known.open() else 0)
    return write_cell(known), found, bits, None


def _repeats(epoch: Epoch, seq: int) -> bool:
    missing = any(first <= seq <= last for first, last in epoch.holes)
    return epoch.floor <= seq < epoch.next and not missing


def _begin(action: Action, epoch: Epoch, seq: int, before: Epoch | None, forgotten: bool) -> Findings:
    """A new epoch: its predecessor must be closed. One that may have been forgotten begins where it is."""
    if before is not None:
        return () if before.flags & CLOSED else (unclosed(action, before, epoch.number),)
    if forgotten:
        epoch.next = epoch.floor = seq
    return ()


def _tell_regression(action: Action, newest: Epoch, number: int) -> Findings:
    if newest.flags & REGRESSED:
        return ()
    newest.flags |= REGRESSED
    return (regression(action, newest, number),)


def _arrive(action: Action, epoch: Epoch, seq: int) -> Findings:
    """Account for a number that has not come before (or of which nobody knows)."""
    found: list[Finding] = []
    if seq >= epoch.next:
        if seq > epoch.next:
            found.append(gap(action, epoch, epoch.next, seq - 1))
            epoch.holes.append((epoch.next, seq - 1))
        if epoch.flags & CLOSED and not epoch.flags & OVERRUN:
            epoch.flags |= OVERRUN
            found.append(overrun(action, epoch, seq))
        epoch.next = seq + 1
    elif epoch.take(seq) and not epoch.holes:
        found.append(filled(action, epoch))
    if action.action == CLOSING:
        epoch.flags |= CLOSED
        if epoch.holes or epoch.next != seq + 1:
            found.append(miscounted(action, epoch, seq))
    return tuple(found)
