"""Personal data in bulk: a single address or account is ordinary work, many different ones are a leak."""

from typing import NamedTuple

from pydantic import Field

from detections.about import About
from detections.content.pii_kinds import (
    CARD,
    DIGITS,
    EMAIL,
    IBAN,
    NAMES,
    NATIONAL,
    PHONE,
    Personal,
    digits_in,
    find_emails,
    find_numbers,
)
from detections.content.texts import Hit, Text, cut, spans, texts_of
from detections.detector import EVERY_PHASE, NOTHING, Cells, Observation
from detections.finding import found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Finding, Severity

_KINDS = (
    "Counted are different card numbers (ISO/IEC 7812, Luhn), IBANs (ISO 13616, modulo 97), national"
    " numbers that have check digits or a fixed form (Brazil, China, Finland, France, Italy, Mexico, Poland,"
    " Spain, USA), telephone numbers and e-mail addresses. Evidence shows kinds and places, never the"
    " data.\n\n"
    "Not promised: names, postal addresses, national numbers of other countries. The first 262,144"
    " characters of a field and 1,000 candidates in each are looked at."
)
SENT = About(
    id="pii-in-arguments",
    title="Personal data of many is handed to a tool",
    severity=Severity.high,
    tags=("ASI02", "ASI03", "AML.T0086", "AML.T0057"),
    description=f"The resource or the arguments of an action hold the data of several people. {_KINDS}",
    false_positives=(
        "A payment run, a newsletter: what sends to many by design. Raise the numbers or make an exception"
        " for"
        " its tool.",
    ),
    runbook=(
        "See where it was sent and whether that place may have it. If not, it is a data breach: tell"
        " whoever handles these in your organisation at once, periods run."
    ),
)
SEEN = About(
    id="pii-in-content",
    title="Personal data of many is in what the agent reads",
    severity=Severity.low,
    tags=("ASI03", "AML.T0085.001", "AML.T0057"),
    description=f"A prompt or a result holds the data of many people. {_KINDS}",
    false_positives=(
        "Agents that work on customer records: raise the numbers for them, or let tools return less.",
    ),
    runbook=(
        "Ask whether the agent needs it. Let the tool return fewer fields; look for `pii-in-arguments` later."
    ),
)


class PiiSettings(Model):
    """How many different ones of a kind are too many in one action."""

    sent_cards: int = Field(2, ge=1, description="Card numbers in arguments.")
    sent_ibans: int = Field(4, ge=1, description="IBANs in arguments.")
    sent_nationals: int = Field(2, ge=1, description="National numbers in arguments.")
    sent_phones: int = Field(15, ge=1, description="Telephone numbers in arguments.")
    sent_emails: int = Field(25, ge=1, description="E-mail addresses in arguments.")
    seen_cards: int = Field(5, ge=1, description="Card numbers in content.")
    seen_ibans: int = Field(25, ge=1, description="IBANs in content.")
    seen_nationals: int = Field(5, ge=1, description="National numbers in content.")
    seen_phones: int = Field(50, ge=1, description="Telephone numbers in content.")
    seen_emails: int = Field(100, ge=1, description="E-mail addresses in content.")


class _Placed(NamedTuple):
    field: str
    what: Personal


class Pii:
    """The detector. It keeps nothing."""

    name = "pii"
    abouts: tuple[About, ...] = (SENT, SEEN)
    ids: tuple[str, ...] = (SENT.id, SEEN.id)
    cells: tuple[str, ...] = ()
    woken_by: tuple[str, ...] = ()
    phases = EVERY_PHASE
    Settings = PiiSettings

    def __init__(self, settings: PiiSettings | None = None) -> None:
        s = settings or PiiSettings()
        self._sent = _limits(s.sent_cards, s.sent_ibans, s.sent_nationals, s.sent_phones, s.sent_emails)
        self._seen = _limits(s.seen_cards, s.seen_ibans, s.seen_nationals, s.seen_phones, s.seen_emails)
        self._room = min(*self._sent.values()) * min(DIGITS.values())
        self._fewest = min(self._sent[k] * n for k, n in DIGITS.items())

    def concerns(self, action: Action) -> bool:
        """Whether there is room in it for too many; see `detections.detector.Choosy`."""
        if action.content:
            return True
        whole = f"{action.resource}{action.arguments}"
        if len(whole) < self._room:
            return False
        return whole.count("@") >= self._sent[EMAIL] or digits_in(whole) >= self._fewest

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Count personal data; see `detections.detector.Detector`."""
        if not self.concerns(action):
            return NOTHING
        errors = list(cut(action))
        findings: list[Finding] = []
        sent = [t for t in texts_of(action) if t.field != "content"]
        seen = [t for t in texts_of(action) if t.field == "content"]
        for about, limits, texts in ((SENT, self._sent, sent), (SEEN, self._seen, seen)):
            placed = _find(texts, limits, errors)
            if placed:
                findings += self._judge(action, about, limits, placed)
        return Observation(findings=tuple(findings), errors=tuple(errors)) if findings or errors else NOTHING

    def _judge(
        self, action: Action, about: About, limits: dict[str, int], placed: list[_Placed]
    ) -> list[Finding]:
        values: dict[str, set[str]] = {}
        for _, what in placed:
            values.setdefault(what.kind, set()).add(what.value)
        over = {kind: len(of) for kind, of in values.items() if len(of) >= limits[kind]}
        if not over:
            return []
        told = ", ".join(f"{NAMES[kind]} ({count}; too many: {limits[kind]})" for kind, count in over.items())
        hits = [Hit(p.kind, f, p.start, p.end, f"({NAMES[p.kind]})") for f, p in placed if p.kind in over]
        fields = " and ".join(dict.fromkeys(h.field for h in hits))
        message = f"different ones in {fields}: {told}"
        return [found(about, action, message, what="+".join(over), score=0.8, spans=spans(action, hits))]


def _limits(cards: int, ibans: int, nationals: int, phones: int, emails: int) -> dict[str, int]:
    return {CARD: cards, IBAN: ibans, NATIONAL: nationals, PHONE: phones, EMAIL: emails}


def _find(texts: list[Text], limits: dict[str, int], errors: list[str]) -> list[_Placed]:
    """All personal data of some texts, if there is room in them for too many."""
    placed: list[_Placed] = []
    if sum(text.count("@") for _, text in texts) >= limits[EMAIL]:
        placed += [_Placed(field, p) for field, text in texts for p in find_emails(text)]
    if sum(digits_in(text) for _, text in texts) >= min(limits[k] * n for k, n in DIGITS.items()):
        for field, text in texts:
            numbers, too_many = find_numbers(text)
            placed += [_Placed(field, p) for p in numbers]
            errors += [f"too many numbers in {field}: not all were looked at"] * too_many
    return placed
