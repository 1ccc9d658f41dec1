"""Delegation: work handed on too deep, in a circle, or to get what was denied."""

import re
import struct
from typing import NamedTuple
from zlib import crc32

from pydantic import Field

from detections.about import About
from detections.behaviour.verbs import DELEGATE, verbs_of
from detections.detector import EVERY_PHASE, NOTHING, Cells, Observation
from detections.event_ids import pack_id, unpack_id
from detections.finding import Since, found, short
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Finding, Severity

_LABELS = (
    "Producers say how deep an agent is by the label `delegation_depth` (0 for the one that a person"
    " started), and through whom by `delegation_chain` (agent ids, the first one first, with commas)."
)
DEPTH = About(
    id="delegation-depth",
    title="Work is handed on too deep",
    severity=Severity.medium,
    tags=("ASI07", "ASI08", "AML.T0053"),
    description=(
        f"Work is handed on to yet another agent by one that is itself `deepest` levels deep. {_LABELS}"
        " Without them"
        " nothing is found; a depth that is no number is recorded as an error."
    ),
    false_positives=("Frameworks that make an agent of each small step.",),
    runbook=(
        "See what the first agent was asked, and whether the last one still works on it. Give it fewer hands."
    ),
)
CIRCLE = About(
    id="delegation-loop",
    title="Work is handed on in a circle",
    severity=Severity.medium,
    tags=("ASI07", "ASI08", "ASI10", "AML.T0034.002"),
    description=(
        "Work is handed to the agent itself, to one of the chain that it came through, or back to the one"
        " on whose behalf the agent acts; or the same work (resource and arguments) is handed on `repeats`"
        " times within"
        f" `within_seconds`. {_LABELS}"
    ),
    false_positives=("A reviewer that hands work back once with remarks: make an exception for that pair.",),
    runbook="Stop the sessions of all agents of the circle; each waits for another. Then see who began it.",
)
PRIVILEGE = About(
    id="delegation-privilege",
    title="What was denied is handed to another agent",
    severity=Severity.high,
    tags=("ASI03", "ASI07", "ASI10", "AML.T0053"),
    description=(
        "Within `within_seconds` after an action of this agent was denied, it hands on work whose text"
        " names what was denied: the resource, or its last part if that is long enough to tell, or else the"
        " tool. The last 8 denials are kept, as checksums of those names.\n\n"
        "Not promised: work that describes it in other words. The first 64 KiB of the text are looked at."
    ),
    false_positives=(
        (
            "Handing work to the agent that is meant to have that right: allow it by an"
            " exception for the target."
        ),
    ),
    runbook=(
        "Compare what was denied and what was handed on. If the other agent did it, treat it as done by the"
        " first one, and narrow what the other accepts."
    ),
)

CELL = "delegation"
DENIALS = 8
SENT = 8
LONGEST_NAME = 100
LONGEST_TEXT = 65_536
_VERSION = 1
_WORD = re.compile(r"[^\s\"'`,;()\[\]{}<>]+")
_DIGITS = re.compile(r"[0-9]{1,6}")


class DelegationSettings(Model):
    """Thresholds of `delegation-depth`, `delegation-loop` and `delegation-privilege`."""

    deepest: int = Field(5, ge=1, le=1000, description="The depth at which nothing is handed on any more.")
    repeats: int = Field(4, ge=2, le=SENT, description="How often the same work may not be handed on.")
    within_seconds: int = Field(600, ge=1, le=86_400, description="How long denials and work are remembered.")


class _Memory(NamedTuple):
    """The newest denials as (checksum, time, event id) and work as (checksum, time), oldest first."""

    denied: tuple[tuple[int, int, bytes], ...] = ()
    sent: tuple[tuple[int, int], ...] = ()

    @classmethod
    def read(cls, cell: bytes | None) -> "_Memory":
        if not cell:
            return cls()
        if cell[0] != _VERSION or len(cell) < 3 or len(cell) != 3 + cell[1] * 28 + cell[2] * 12:
            raise ValueError(f"a {CELL} cell of {len(cell)} bytes of version {cell[0]}")
        middle = 3 + cell[1] * 28
        denied = tuple(_DENIAL.iter_unpack(cell[3:middle]))
        return cls(denied, tuple(_SENT.iter_unpack(cell[middle:])))

    def write(self) -> bytes:
        head = bytes([_VERSION, len(self.denied), len(self.sent)])
        return (
            head
            + b"".join(_DENIAL.pack(*d) for d in self.denied)
            + b"".join(_SENT.pack(*s) for s in self.sent)
        )


_DENIAL, _SENT = struct.Struct("<Iq16s"), struct.Struct("<Iq")


class Delegation:
    """The detector. It learns which actions were denied."""

    name = "delegation"
    abouts: tuple[About, ...] = (DEPTH, CIRCLE, PRIVILEGE)
    ids: tuple[str, ...] = tuple(a.id for a in abouts)
    cells: tuple[str, ...] = (CELL,)
    woken_by: tuple[str, ...] = ()
    only_denials = True
    phases = EVERY_PHASE
    Settings = DelegationSettings

    def __init__(self, settings: DelegationSettings | None = None) -> None:
        self._settings = settings or DelegationSettings()

    def concerns(self, action: Action) -> bool:
        """Whether it hands on work; see `detections.detector.Choosy`."""
        return bool(verbs_of(action.action, action.tool) & DELEGATE) and action.phase == "call"

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Look at work that is handed on; see `detections.detector.Detector`."""
        if not self.concerns(action):
            return NOTHING
        cell = cells.get(CELL)
        memory = _Memory.read(cell)
        horizon = action.received_at - self._settings.within_seconds * 1000
        work = crc32(f"{action.resource}\0{action.arguments}".encode())
        sent = (*(s for s in memory.sent if s[1] > horizon), (work, action.received_at))[-SENT:]
        labels = action.get("labels")
        depth, errors = self._depth(action, labels.get("delegation_depth"))
        if memory.denied and len(_handed(action)) > LONGEST_TEXT:
            errors += (f"only {LONGEST_TEXT} characters of the work handed on were looked at",)
        findings = [*depth, *self._circle(action, labels, sent), *self._privilege(action, memory, horizon)]
        return Observation({CELL: memory._replace(sent=sent).write()}, tuple(findings), errors=errors)

    def settle(self, action: Action, denied: bool, cells: Cells) -> Observation:
        """Remember what was denied; see `detections.detector.Settling`."""
        if not denied:
            return NOTHING
        name = _telling(action)
        if not name:
            return NOTHING
        memory = _Memory.read(cells.get(CELL))
        entry = (crc32(name.encode()), action.received_at, pack_id(action.event_id))
        others = tuple(d for d in memory.denied if d[0] != entry[0])
        return Observation({CELL: memory._replace(denied=(*others, entry)[-DENIALS:]).write()})

    def _depth(self, action: Action, told: str | None) -> tuple[list[Finding], tuple[str, ...]]:
        if told is None:
            return [], ()
        if not _DIGITS.fullmatch(told):
            return [], (f"delegation_depth {told[:40]!r} is no number",)
        if int(told) < self._settings.deepest:
            return [], ()
        message = f"an agent {int(told)} levels deep hands on work; the deepest is {self._settings.deepest}"
        return [found(DEPTH, action, message)], ()

    def _circle(
        self, action: Action, labels: dict[str, str], sent: tuple[tuple[int, int], ...]
    ) -> list[Finding]:
        target, name = action.resource, short(action.resource, LONGEST_NAME)
        chain = [a.strip() for a in labels.get("delegation_chain", "").split(",")]
        message = ""
        if target == action.agent_id:
            message = "an agent hands work to itself"
        elif target and target in chain:
            message = f"work goes back to {name}, which it came through"
        elif target and target == action.get("on_behalf_of"):
            message = f"work goes back to {name}, on whose behalf the agent acts"
        else:
            times = [at for work, at in sent if work == sent[-1][0]]
            if len(times) >= self._settings.repeats:
                seconds = (times[-1] - times[0]) / 1000
                message = f"the same work handed to {name} {len(times)} times within {seconds:.0f} s"
        return [found(CIRCLE, action, message, what=name)] if message else []

    def _privilege(self, action: Action, memory: _Memory, horizon: int) -> list[Finding]:
        live = {d[0]: d for d in memory.denied if d[1] > horizon}
        if not live:
            return []
        text = _handed(action)[:LONGEST_TEXT]
        for match in _WORD.finditer(text):
            word = match[0].rstrip(".:!?").lower()
            for name in (word, _last_part(word)):
                entry = live.get(crc32(name.encode())) if name else None
                if entry is not None:
                    seconds = (action.received_at - entry[1]) / 1000
                    to = short(action.resource, LONGEST_NAME)
                    message = f"what was denied {seconds:.0f} s ago is handed to {to}"
                    since = Since(entry[1], (unpack_id(entry[2]),))
                    return [found(PRIVILEGE, action, message, what=to, score=0.8, since=since)]
        return []


def _handed(action: Action) -> str:
    return f"{action.arguments or ''} {action.content or ''}"


def _telling(action: Action) -> str:
    """The name that tells what an action wanted: its resource as one word, its end, or else the tool."""
    resource = action.resource.lower()
    if resource and _WORD.fullmatch(resource):
        return _last_part(resource) or resource
    return (action.tool or "").lower()


def _last_part(word: str) -> str:
    last = word.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return last if len(last) >= 4 else ""
