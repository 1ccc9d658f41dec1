"""Loops: the same calls in the same order, again and again, and nothing comes of it.

One call is the anchor. Until it comes again, a call costs one comparison and nothing is written; an anchor
that does not come again within `longest` actions gives its place to the call that comes then (as in Brent's
cycle finding). Once it has come again, a digest of everything the session does is kept, round by round;
rounds with one digest are one loop. Source of the idea: R. P. Brent, "An improved Monte Carlo factorization
algorithm", BIT 20 (1980), section 2.
"""

import struct
from typing import NamedTuple
from zlib import crc32

from pydantic import Field

from detections.about import About
from detections.activity import CELL as ACTIVITY
from detections.activity import counted
from detections.detector import NOTHING, Cells, Observation
from detections.event_ids import pack_id, unpack_id
from detections.finding import Since, found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Severity

LOOP = About(
    id="loop",
    title="The same calls again and again",
    severity=Severity.medium,
    tags=("ASI08", "AML.T0034.002"),
    description=(
        "A session makes the same calls (action, resource, tool and arguments) in the same order, `rounds`"
        " times in a row, and their results are the same each time. One call repeated and several that"
        " alternate are both found, up to `longest` actions a round. A producer that sends no results is"
        " found after `blind_rounds`: without results nobody can tell whether there is progress. It is found"
        " once, and stays on with each further round.\n\n"
        "Not promised: longer rounds, results that differ in a time or a number, loops of sessions that"
        " alternate more than `longest` actions apart. Calls and results are compared by 32-bit checksums."
    ),
    false_positives=(
        "Waiting for something by asking again, where the answer never changes: ask less often than"
        " `within_seconds` / `rounds`, or make an exception for this tool.",
        "A heartbeat that an agent sends to a service.",
    ),
    runbook=(
        "Read the last turns of the session: mostly the model does not understand an error. Stop the"
        " session, mend the tool's error message or the prompt. Look at what the loop cost."
    ),
)

CELL = "loop"
_VERSION = 1
_LAYOUT = struct.Struct("<BBHHHIIIIQqq16s")
_HEAD = struct.Struct("<BB6xII8xQ16x16x")
"""Of `_State`: version, calls, anchor, session and at."""
_MANY = 65_535
_UNKNOWN = 2**32 - 1
"""Stands for the digest of a round that was not followed."""


class LoopSettings(Model):
    """Thresholds of `loop`."""

    rounds: int = Field(8, ge=2, le=60_000, description="Equal rounds with equal results that make a loop.")
    blind_rounds: int = Field(20, ge=2, le=60_000, description="Equal rounds, where no results are sent.")
    longest: int = Field(16, ge=2, le=1000, description="Actions in a round, results too.")
    within_seconds: int = Field(600, ge=1, le=86_400, description="The longest pause between two rounds.")


class _State(NamedTuple):
    """What is followed.

    Attributes:
        calls: in the current round; 0: the anchor has not come again yet.
        same: rounds in a row that were like the one before.
        results: results seen in the last whole round.
        anchor, session: checksums of the call waited for, and of its session.
        digest, previous: of the current round, and of the last whole one.
        at: how many actions the agent had done when the anchor came last.
        first_at, last_at: when the loop began, when the anchor came last (milliseconds).
        first_event: the id of the action that the loop began with.
    """

    version: int
    calls: int
    same: int
    results: int
    fresh_results: int
    anchor: int
    session: int
    digest: int
    previous: int
    at: int
    first_at: int
    last_at: int
    first_event: bytes


def _checksum(action: Action) -> int:
    what, arguments = action.call_bytes()
    return crc32(arguments, crc32(what))


def _session(action: Action) -> int:
    return crc32(action.session_id.encode()) if action.session_id else 0


class Loops:
    """The detector."""

    name = "loop"
    abouts: tuple[About, ...] = (LOOP,)
    ids: tuple[str, ...] = (LOOP.id,)
    cells: tuple[str, ...] = (CELL,)
    phases = frozenset({"call", "result"})
    Settings = LoopSettings

    def __init__(self, settings: LoopSettings | None = None) -> None:
        self._settings = settings or LoopSettings()
        self._longest = self._settings.longest

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Wait for the anchor, or follow the rounds; see `detections.detector.Detector`."""
        cell = cells.get(CELL)
        calls = action.phase == "call"
        activity = cells.get(ACTIVITY)
        before = counted(activity)[0] if activity else 0
        if not cell:
            return _anchored(action, _checksum(action), before) if calls else NOTHING
        version, following, anchor, session, at = _HEAD.unpack(cell)
        if version != _VERSION:
            raise ValueError(f"a {CELL} cell of version {version}")
        if not following and not calls:
            return NOTHING
        checksum = _checksum(action) if calls else crc32((action.content or "").encode())
        state = _State(*_LAYOUT.unpack(cell)) if following or checksum == anchor else None
        if state is None:
            return _anchored(action, checksum, before) if before - at >= self._longest else NOTHING
        if session != _session(action):
            late = before - state.at > 4 * self._longest
            return _anchored(action, checksum, before) if late and calls else NOTHING
        return self._follow(action, state, checksum if calls else None, before, checksum)

    def _follow(
        self, action: Action, state: _State, call: int | None, before: int, checksum: int
    ) -> Observation:
        """One more action of the session that the anchor belongs to."""
        late = before - state.at > self._longest
        if late or action.received_at - state.last_at > self._settings.within_seconds * 1000:
            return _anchored(action, call, before) if call is not None else NOTHING
        if call == state.anchor:
            return self._round(action, state, before)
        digest = crc32(checksum.to_bytes(4, "little"), state.digest)
        if call is None:
            return _kept(state._replace(digest=digest, fresh_results=min(state.fresh_results + 1, _MANY)))
        return _kept(state._replace(digest=digest, calls=min(state.calls + 1, 255)))

    def _round(self, action: Action, state: _State, before: int) -> Observation:
        """The anchor came again: a round ends."""
        like = state.calls > 0 and state.previous == state.digest
        calls = state.calls
        same = min(state.same + 1, _MANY) if like else 0
        state = state._replace(
            calls=1,
            same=same,
            results=state.fresh_results,
            fresh_results=0,
            previous=state.digest if calls else _UNKNOWN,
            digest=0,
            at=before,
            last_at=action.received_at,
        )
        if not like:
            state = state._replace(first_at=action.received_at, first_event=pack_id(action.event_id))
        return self._judged(action, state, calls)

    def _judged(self, action: Action, state: _State, calls: int) -> Observation:
        rounds = state.same + 1
        enough = self._settings.rounds if state.results else self._settings.blind_rounds
        changes = _kept(state).changes
        if rounds < enough:
            return Observation(changes)
        if rounds > enough:
            return Observation(changes, on=self.ids)
        seconds = (action.received_at - state.first_at) / 1000
        results = "with the same results" if state.results else "no results are sent"
        what = "the same call" if calls == 1 else f"the same {calls} calls in the same order"
        message = f"{what} {rounds} times within {seconds:.0f} s, {results}"
        since = Since(state.first_at, (unpack_id(state.first_event),))
        return Observation(changes, (found(LOOP, action, message, score=0.9, since=since),))


def _anchored(action: Action, anchor: int, before: int) -> Observation:
    now = action.received_at
    state = _State(_VERSION, 0, 0, 0, 0, anchor, _session(action), 0, 0, before, now, now, bytes(16))
    return _kept(state)


def _kept(state: _State) -> Observation:
    return Observation({CELL: _LAYOUT.pack(*state)})
