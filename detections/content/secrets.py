"""Secrets in what an agent is given, gets and hands on."""

from detections.about import About
from detections.content.secret_formats import find_secrets, may_hold_secrets
from detections.content.texts import Hit, counted, cut, spans, texts_of
from detections.detector import EVERY_PHASE, NOTHING, Cells, Observation
from detections.finding import found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Severity

_FORMATS = (
    "Access keys and tokens of well-known services by their formats, private keys, JSON web tokens,"
    " passwords in addresses, and what is assigned to a name such as `api_key`; by check digits where a"
    " format has them, by Shannon's entropy where not. Evidence shows the kind, the place and the length,"
    " never the secret.\n\n"
    "Not promised: secrets without a format, and those that are split, encoded or below 16 characters. The"
    " first 262,144 characters of a field are looked at."
)
SENT = About(
    id="secret-in-arguments",
    title="A secret is handed to a tool",
    severity=Severity.high,
    tags=("ASI02", "ASI03", "AML.T0086", "AML.T0057"),
    description=f"The resource or the arguments of an action hold a secret. {_FORMATS}",
    false_positives=(
        "A tool that needs the key in its arguments: give it a reference to a secret store, or make an"
        " exception for this tool.",
        "Test keys of a service that look like its live ones.",
    ),
    runbook=(
        "Take the secret as leaked to that tool and to every log on the way: replace it, then"
        " see how the agent got hold of it."
    ),
)
SEEN = About(
    id="secret-in-content",
    title="A secret is in what the agent reads",
    severity=Severity.medium,
    tags=("ASI03", "AML.T0055", "AML.T0098"),
    description=f"A prompt or a result holds a secret, so a model has it now. {_FORMATS}",
    false_positives=(
        "Reading one's own configuration, where that is the agent's work.",
        "Documentation with keys that look real.",
    ),
    runbook=(
        "Replace the secret if the model's provider or the session's readers may not have it."
        " Keep it out of what tools return; look for `secret-in-arguments` later in the session."
    ),
)
SHORT = 512
"""Characters up to which a cheaper look comes first."""


class SecretsSettings(Model):
    """Nothing can be set of secrets but what can be set of every detection."""


class Secrets:
    """The detector. It keeps nothing."""

    name = "secrets"
    abouts: tuple[About, ...] = (SENT, SEEN)
    ids: tuple[str, ...] = (SENT.id, SEEN.id)
    cells: tuple[str, ...] = ()
    woken_by: tuple[str, ...] = ()
    phases = EVERY_PHASE
    Settings = SecretsSettings

    def __init__(self, settings: SecretsSettings | None = None) -> None:
        self._settings = settings or SecretsSettings()

    def concerns(self, action: Action) -> bool:
        """Whether a secret may be in it; see `detections.detector.Choosy`."""
        if action.content:
            return True
        whole = f"{action.resource} {action.arguments}"
        return len(whole) >= SHORT or may_hold_secrets(whole)

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Look for secrets; see `detections.detector.Detector`."""
        if not self.concerns(action):
            return NOTHING
        sent: list[Hit] = []
        seen: list[Hit] = []
        errors = list(cut(action))
        for field, text in texts_of(action):
            secrets, too_many = find_secrets(text)
            hits = seen if field == "content" else sent
            hits += [Hit(s.format.name, field, s.start, s.end, s.shown) for s in secrets]
            errors += [f"too much in {field} looks like secrets: not all was looked at"] * too_many
        if not (sent or seen or errors):
            return NOTHING
        findings = tuple(
            found(
                about,
                action,
                f"{counted(hits)} in {' and '.join(dict.fromkeys(h.field for h in hits))}",
                what=hits[0].what,
                score=0.9,
                spans=spans(action, hits),
            )
            for about, hits in ((SENT, sent), (SEEN, seen))
            if hits
        )
        return Observation(findings=findings, errors=tuple(errors))
