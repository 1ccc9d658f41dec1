"""Sequences of a theft (secret read, encoded, sent) and of a destruction (backups first, then the rest).

Nothing is kept until the first stage comes, and nothing after the window has passed.
"""

import struct
from dataclasses import dataclass, field
from zlib import crc32

from pydantic import Field

from detections.about import About
from detections.behaviour.stages import (
    carries_encoded,
    cut,
    deletes,
    encodes,
    hinders_recovery,
    names_secret,
    sends,
    text_of,
)
from detections.behaviour.verbs import DELETE, EXECUTE, verbs_of
from detections.detector import NOTHING, Cells, Observation
from detections.event_ids import pack_id, unpack_id
from detections.finding import Since, found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Finding, Severity

THEFT = About(
    id="exfiltration-sequence",
    title="A secret is read, encoded and sent",
    severity=Severity.critical,
    tags=("ASI02", "ASI03", "ASI10", "AML.T0086", "AML.T0055", "AML.T0098"),
    description=(
        "In one session and within `within_seconds`: a call names a place where credentials are by"
        " convention, a later one packs, encodes or encrypts, and a later one sends (or sends what is"
        " encoded already). One command may be several stages. With `encoded: false` the stage between is"
        " not needed, and much more is found. Stages are told by the words of actions, tools and"
        " commands.\n\n"
        "Not promised: secrets in places of other names, and commands that hide their words. Whether what"
        " is sent is the secret is not known."
    ),
    false_positives=(
        "Deploying: a key file is read, a release is packed and uploaded, all in one session.",
        "Sending an image as Base64 shortly after a configuration was read.",
    ),
    runbook=(
        "Quarantine the agent. Take the secret that was read as stolen: replace it. See where it was sent,"
        " and what the session had read before."
    ),
)
DESTRUCTION = About(
    id="destruction-sequence",
    title="Much is deleted, or what one recovers from goes first",
    severity=Severity.high,
    tags=("ASI02", "ASI05", "ASI10", "AML.T0101"),
    description=(
        "Within `delete_seconds` an agent deletes `most_deletions` different things, or it deletes backups,"
        " snapshots, audit records or the like, and then `after_recovery` other things. Different means: of"
        " another resource or arguments. Told by the words of actions, tools and commands.\n\n"
        "Not promised: one call that deletes much, which is a matter for a policy."
    ),
    false_positives=("Cleaning up: old branches, temporary files, test data.", "Rotating backups."),
    runbook=(
        "Stop the agent and keep what is left from being overwritten. See what asked for it: a person, or"
        " something that the agent read."
    ),
)

CELL = "stages"
KEPT = 40
_VERSION = 1
_HEAD = struct.Struct("<BBIqq16s16sq")
_DELETION = struct.Struct("<Iq")
_NEVER = -(2**62)


class SequencesSettings(Model):
    """Thresholds of `exfiltration-sequence` and `destruction-sequence`."""

    within_seconds: int = Field(900, ge=1, le=86_400, description="From reading a secret to sending.")
    encoded: bool = Field(True, description="Whether something must be encoded in between.")
    delete_seconds: int = Field(300, ge=1, le=86_400, description="How long deletions are counted together.")
    most_deletions: int = Field(30, ge=2, le=KEPT, description="Different things deleted that are too many.")
    after_recovery: int = Field(
        3, ge=1, le=KEPT, description="Things deleted after backups that are too many."
    )


@dataclass(slots=True)
class _Stages:
    """What came of each stage.

    Attributes:
        session: checksum of the session that named a secret.
        secret_at, encoded_at, recovery_at: when each stage came last (milliseconds).
        secret, encoding: 16 bytes of the event ids.
        deletions: checksums and times of what was deleted, oldest first.
    """

    session: int = 0
    secret_at: int = _NEVER
    encoded_at: int = _NEVER
    secret: bytes = bytes(16)
    encoding: bytes = bytes(16)
    recovery_at: int = _NEVER
    deletions: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def read(cls, cell: bytes | None) -> "_Stages":
        if not cell:
            return cls()
        version, held, session, secret_at, encoded_at, secret, encoding, recovery_at = _HEAD.unpack_from(cell)
        if version != _VERSION or len(cell) != _HEAD.size + held * _DELETION.size:
            raise ValueError(f"a {CELL} cell of {len(cell)} bytes of version {version}")
        deletions = [(what, at) for what, at in _DELETION.iter_unpack(cell[_HEAD.size :])]
        return cls(session, secret_at, encoded_at, secret, encoding, recovery_at, deletions)

    def write(self) -> bytes:
        if self.secret_at == self.recovery_at == _NEVER and not self.deletions:
            return b""
        head = (self.session, self.secret_at, self.encoded_at, self.secret, self.encoding, self.recovery_at)
        entries = b"".join(_DELETION.pack(*d) for d in self.deletions)
        return _HEAD.pack(_VERSION, len(self.deletions), *head) + entries


class Sequences:
    """The detector."""

    name = "sequences"
    abouts: tuple[About, ...] = (THEFT, DESTRUCTION)
    ids: tuple[str, ...] = (THEFT.id, DESTRUCTION.id)
    cells: tuple[str, ...] = (CELL,)
    woken_by: tuple[str, ...] = (CELL,)
    phases = frozenset({"call"})
    Settings = SequencesSettings

    def __init__(self, settings: SequencesSettings | None = None) -> None:
        self._settings = settings or SequencesSettings()

    def concerns(self, action: Action) -> bool:
        """Whether a first stage may be in it; see `detections.detector.Choosy`."""
        if verbs_of(action.action, action.tool) & (DELETE | EXECUTE):
            return True
        return names_secret(text_of(action.resource, action.arguments))

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Follow the stages; see `detections.detector.Detector`."""
        cell = cells.get(CELL)
        kinds = verbs_of(action.action, action.tool)
        text = text_of(action.resource, action.arguments)
        secret = names_secret(text)
        if not (cell or secret or kinds & (DELETE | EXECUTE)):
            return NOTHING
        errors = cut(action.resource, action.arguments)
        stages = _Stages.read(cell)
        self._forget(action, stages)
        findings = self._theft(action, stages, (kinds, text, secret))
        if deletes(kinds, text):
            findings += self._destruction(action, stages, text)
        after = stages.write()
        if after == (cell or b""):
            return Observation(findings=tuple(findings), errors=errors) if findings or errors else NOTHING
        return Observation({CELL: after}, tuple(findings), errors=errors)

    def _forget(self, action: Action, stages: _Stages) -> None:
        now = action.received_at
        if stages.secret_at <= now - self._settings.within_seconds * 1000:
            stages.secret_at = stages.encoded_at = _NEVER
        horizon = now - self._settings.delete_seconds * 1000
        if stages.recovery_at <= horizon:
            stages.recovery_at = _NEVER
        stages.deletions = [d for d in stages.deletions if d[1] > horizon]

    def _theft(self, action: Action, stages: _Stages, what: tuple[int, str, bool]) -> list[Finding]:
        kinds, text, secret = what
        session = crc32((action.session_id or "").encode())
        now = action.received_at
        if secret:
            stages.session, stages.secret_at, stages.secret = session, now, pack_id(action.event_id)
            stages.encoded_at = _NEVER
        if stages.secret_at == _NEVER or stages.session != session:
            return []
        if encodes(kinds, text):
            stages.encoded_at, stages.encoding = now, pack_id(action.event_id)
        if not sends(kinds, text):
            return []
        is_encoded = stages.encoded_at != _NEVER
        if self._settings.encoded and not is_encoded and not carries_encoded(text):
            return []
        evidence = [stages.secret, stages.encoding] if is_encoded else [stages.secret]
        own = pack_id(action.event_id)
        since = Since(stages.secret_at, tuple(dict.fromkeys(unpack_id(e) for e in evidence if e != own)))
        seconds = (now - stages.secret_at) / 1000
        message = f"something is sent {seconds:.0f} s after a call that named credentials"
        message += ", and something was encoded in between" if is_encoded or carries_encoded(text) else ""
        stages.secret_at = stages.encoded_at = _NEVER
        return [found(THEFT, action, message, score=0.9 if is_encoded else 0.7, since=since)]

    def _destruction(self, action: Action, stages: _Stages, text: str) -> list[Finding]:
        now, s = action.received_at, self._settings
        what = crc32(f"{action.action}\0{text}".encode())
        if hinders_recovery(text):
            stages.recovery_at = now
        elif all(what != d for d, _ in stages.deletions):
            stages.deletions = [*stages.deletions, (what, now)][-KEPT:]
        later = sum(at >= stages.recovery_at for _, at in stages.deletions)
        recovery = stages.recovery_at != _NEVER
        if recovery and later >= s.after_recovery:
            message = (
                f"{later} things deleted within {(now - stages.recovery_at) / 1000:.0f} s after what"
                " one recovers from"
            )
            since = Since(stages.recovery_at)
        elif len(stages.deletions) >= s.most_deletions:
            first = stages.deletions[0][1]
            message = f"{len(stages.deletions)} different things deleted within {(now - first) / 1000:.0f} s"
            since = Since(first)
        else:
            return []
        stages.deletions, stages.recovery_at = [], _NEVER
        return [found(DESTRUCTION, action, message, score=0.8, since=since)]
