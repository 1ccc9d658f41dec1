"""Text that people do not see and models read, wherever an agent meets it."""

from pydantic import Field

from detections.about import About
from detections.content.orders import find_orders
from detections.content.texts import Hit, counted, cut, spans, texts_of
from detections.content.unseen import (
    Unseen,
    find_characters,
    find_codes,
    find_markup,
    find_mixed_words,
    may_hold_codes,
    unescape,
)
from detections.detector import EVERY_PHASE, NOTHING, Cells, Observation
from detections.finding import found
from documents.types import Model
from schemas.action import Action
from schemas.verdict import Severity

_WHERE = (
    "  Arguments, content (also of a tool's definition) and resource are looked at, the first 262,144"
    " characters of each; characters that JSON writes as \\uXXXX count as themselves."
)
ORDERS = About(
    id="hidden-instructions",
    title="Hidden text gives a model orders",
    severity=Severity.high,
    tags=("ASI01", "ASI06", "AML.T0051.001", "AML.T0080.001"),
    description=(
        "What people do not see (an HTML comment, an invisible style, characters without a shape, Base64 or"
        " hexadecimal)"
        " tells a model what to do, to set its instructions aside, or to keep something from the user."
        + _WHERE
        + "\n\nNot promised: orders in other languages than English, and in images."
    ),
    false_positives=(
        "Documentation about prompt injection, with its examples.",
        "A page that tells agents openly how to use it, in a comment.",
    ),
    runbook=(
        "Do not let the session go on with that content. See where it came from and who could write there;"
        " search for the same text elsewhere."
    ),
)
TEXT = About(
    id="hidden-text",
    title="Characters that nobody sees",
    severity=Severity.medium,
    tags=("ASI01", "ASI04", "AML.T0051.001"),
    description=(
        "Runs of Unicode tag characters, of zero-width characters or of variation selectors, three or more"
        " words"
        " split by zero-width characters, or a direction override over Latin letters."
        + _WHERE
        + "\n\nNot found: flags, emoji, joiners in scripts that need them, soft hyphens."
    ),
    false_positives=("Watermarks of some text generators.", "Text copied out of a PDF with broken spacing."),
    runbook=(
        "Read what the evidence decodes to. Strip such characters where content enters; they"
        " carry nothing for people."
    ),
)
MIXED = About(
    id="mixed-scripts",
    title="Words of letters that only look alike",
    severity=Severity.medium,
    tags=("ASI01", "ASI04", "AML.T0051.001"),
    description=(
        "Words that mix Latin letters with Cyrillic or Greek ones that look the same and hold no others:"
        " `least_words` or more"
        " different ones, one in a resource, where it is mostly an address that imitates another." + _WHERE
    ),
    false_positives=("Typing errors of people who write two scripts.", "Test data on this very matter."),
    runbook=(
        "Look which word is imitated, and compare the address with the real one. Block it if it is not yours."
    ),
)
CODED = About(
    id="encoded-text",
    title="A long code that decodes to words",
    severity=Severity.low,
    tags=("ASI01", "ASI02", "AML.T0051.001", "AML.T0086"),
    description=(
        "64 or more characters of Base64 or hexadecimal in a row, whose decoded bytes read as words."
        + _WHERE
        + "\n\nNot promised: codes in shorter lines, compressed or encrypted data, other codes. The first 200"
        " codes are decoded, 8,192 characters of each."
    ),
    false_positives=("APIs that return text files or mails as Base64.",),
    runbook=(
        "Decode it. In arguments: does it hold what should not leave? In content: does it address the model?"
    ),
)


class HiddenSettings(Model):
    """Thresholds of `mixed-scripts`."""

    least_words: int = Field(2, ge=1, description="Different words of mixed letters in one field.")


class Hidden:
    """The detector. It keeps nothing."""

    name = "hidden"
    abouts: tuple[About, ...] = (ORDERS, TEXT, MIXED, CODED)
    ids: tuple[str, ...] = tuple(a.id for a in abouts)
    cells: tuple[str, ...] = ()
    woken_by: tuple[str, ...] = ()
    phases = EVERY_PHASE
    Settings = HiddenSettings

    def __init__(self, settings: HiddenSettings | None = None) -> None:
        self._least_words = (settings or HiddenSettings()).least_words

    def concerns(self, action: Action) -> bool:
        """Whether something may be hidden in it; see `detections.detector.Choosy`."""
        if action.content:
            return True
        whole = f"{action.resource} {action.arguments}"
        if not whole.isascii() or "\\u" in whole or "<" in whole:
            return True
        return len(whole) >= 64 and may_hold_codes(whole)

    def observe(self, action: Action, cells: Cells) -> Observation:
        """Look for what is hidden; see `detections.detector.Detector`."""
        if not self.concerns(action):
            return NOTHING
        hits: dict[str, list[Hit]] = {}
        for field, text in texts_of(action):
            for kind, unseen in self._look(field, text):
                hit = Hit(unseen.how, field, unseen.start, unseen.end, unseen.text)
                hits.setdefault(kind, []).append(hit)
        findings = tuple(
            found(
                about,
                action,
                f"hidden by {counted(hits[about.id])} in {hits[about.id][0].field}",
                what=hits[about.id][0].what,
                score=0.9 if about is ORDERS else 0.7,
                spans=spans(action, hits[about.id]),
            )
            for about in self.abouts
            if about.id in hits
        )
        errors = cut(action)
        return Observation(findings=findings, errors=errors) if findings or errors else NOTHING

    def _look(self, field: str, text: str) -> list[tuple[str, Unseen]]:
        """What is hidden in a text, by the kind of finding; places are those of the text as it stands."""
        seen: list[tuple[str, Unseen]] = []
        if may_hold_codes(text):
            seen += [(CODED.id, u) for u in find_codes(text)]
        if "<" in text:
            seen += [("", u) for u in find_markup(text)]
        if not text.isascii() or "\\u" in text:
            plain, place = unescape(text) if "\\u" in text else (text, int)
            shapeless = [(TEXT.id, u) for u in find_characters(plain)]
            words = find_mixed_words(plain)
            least = 1 if field == "resource" else self._least_words
            if len({u.text for u in words}) >= least:
                shapeless += [(MIXED.id, u) for u in words]
            seen += [(k, u._replace(start=place(u.start), end=place(u.end))) for k, u in shapeless]
        orders = [(ORDERS.id, u) for k, u in seen if k != MIXED.id and find_orders(u.text)]
        return orders + [(k, u) for k, u in seen if k]
