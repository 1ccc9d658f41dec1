"""Sequences: an agent whose tools follow each other as they never did before.

Tools fall into 32 buckets by checksum. Which bucket ever followed which is one bit each, 128 bytes for all; a
call of the same bucket as the one before is no move, and writes nothing.
"""

import struct
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from pydantic import Field

from detections.about import About
from detections.detector import NOTHING, Cells, Observation
from detections.finding import found, short
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Finding, Severity

SEQUENCE = About(
    id="unusual-sequence",
    title="Tools follow each other as they never did",
    severity=Severity.low,
    tags=("ASI01", "ASI10", "AML.T0053"),
    description=(
        "Of an agent's last 16 moves from one tool to another, `least` or more were never seen before, and"
        " four times as many as is usual for it, after `learned` moves. Found once, then those moves are"
        " known.\n\n"
        "Not promised: tools are told apart by 5 bits of a checksum, so that some share a place; moves of"
        " sessions that alternate are taken as one sequence, which makes an agent of many sessions harder to"
        " surprise, not easier."
    ),
    false_positives=(
        "A new kind of task, or a new version of the agent.",
        "New tools, called for the first time one after another.",
    ),
    runbook=(
        "Read the session from where the moves were usual: what did the agent read before it"
        " changed its ways?"
    ),
)

CELL = "habits.moves"
_VERSION = 1
_LAYOUT = struct.Struct("<BBHIf128s")
_HEAD = struct.Struct("<BBHIf")
_ENOUGH = 2**32 - 1


class SurpriseSettings(Model):
    """Thresholds of `unusual-sequence`."""

    least: int = Field(6, ge=2, le=16, description="Moves never seen before, of the last 16.")
    learned: int = Field(300, ge=16, description="Moves until an agent is known.")


class _State(NamedTuple):
    """What came, and what is usual.

    Attributes:
        place: the bucket of the last tool.
        recent: the last 16 moves, newest lowest: 1 for one never seen before.
        moves: how many there were.
        usual: of 16 moves, how many are new: a mean, newer ones weighing more.
        seen: a bit for each pair of buckets.
    """

    version: int
    place: int
    recent: int
    moves: int
    usual: float
    seen: bytes


@lru_cache(4096)
def _bucket(tool: str) -> int:
    return crc32(tool.encode()) & 31


class Surprise:
    """The detector."""

    name = "surprise"
    abouts: tuple[About, ...] = (SEQUENCE,)
    ids: tuple[str, ...] = (SEQUENCE.id,)
    cells: tuple[str, ...] = (CELL,)
    phases = frozenset({"call"})
    Settings = SurpriseSettings

    def __init__(self, settings: SurpriseSettings | None = None) -> None:
        self._settings = settings or SurpriseSettings()

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Follow the moves; see `detections.detector.Detector`."""
        if action.tool is None:
            return NOTHING
        place = _bucket(action.tool)
        cell = cells.get(CELL)
        if not cell:
            return Observation({CELL: _LAYOUT.pack(_VERSION, place, 0, 0, 0.0, bytes(128))})
        if cell[0] != _VERSION:
            raise ValueError(f"a {CELL} cell of version {cell[0]}")
        if cell[1] == place:
            return NOTHING
        if len(cell) == _LAYOUT.size:
            _, before, recent, moves, usual = _HEAD.unpack_from(cell)
            pair = before * 32 + place
            if not recent and cell[_HEAD.size + (pair >> 3)] >> (pair & 7) & 1:  # nearly always
                moves = min(moves + 1, _ENOUGH)
                head = _HEAD.pack(_VERSION, place, 0, moves, usual - usual / min(moves, 200))
                return Observation({CELL: head + cell[_HEAD.size :]})
        return self._moved(action, _State(*_LAYOUT.unpack(cell)), place)

    def _moved(self, action: Action, state: _State, place: int) -> Observation:
        byte, bit = divmod(state.place * 32 + place, 8)
        is_new = not state.seen[byte] >> bit & 1
        seen = state.seen
        if is_new:
            seen = seen[:byte] + bytes([seen[byte] | 1 << bit]) + seen[byte + 1 :]
        recent = (state.recent << 1 | is_new) & 0xFFFF
        count = recent.bit_count()
        moves = min(state.moves + 1, _ENOUGH)
        findings: tuple[Finding, ...] = ()
        if moves > self._settings.learned and count >= max(self._settings.least, 4 * state.usual):
            tool = short(action.tool or "", 100)
            message = (
                f"{count} of the last 16 moves between tools, the last to {tool}, were never"
                " seen"
                f" in {moves:,}; usual: {state.usual:.1f}"
            )
            findings = (found(SEQUENCE, action, message, score=0.5),)
            recent = 0
        leaving = state.recent >> 15  # what is recent does not make itself usual
        usual = state.usual + (16.0 * leaving - state.usual) / min(moves, 200)
        after = _LAYOUT.pack(_VERSION, place, recent, moves, usual, seen)
        return Observation({CELL: after}, findings)
