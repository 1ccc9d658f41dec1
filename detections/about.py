"""What is told of a kind of finding: its page is made of this, and so are its findings."""

from typing import NamedTuple

from schemas.verdict import Severity

HOLD_SECONDS = 600


class About(NamedTuple):
    """One kind of finding of a detector in code. It stands beside the detector, in its file.

    Texts are plain English sentences; `description` may be several paragraphs of Markdown without headings.

    Attributes:
        id: what its findings are called, and what rules match.
        title: a few words, without a full stop: also the title of its findings.
        severity: unless `kind: Detections` sets another.
        tags: OWASP ASI01 to ASI10, and MITRE ATLAS techniques.
        description: what it finds and by what, and what it does not promise.
        false_positives: when ordinary work looks like this, one case each.
        runbook: what a person does who sees such a finding: also the runbook of its findings.
        hold_seconds: how long later actions see it as a recent detection, unless set otherwise.
    """

    id: str
    title: str
    severity: Severity
    tags: tuple[str, ...]
    description: str
    false_positives: tuple[str, ...]
    runbook: str
    hold_seconds: int = HOLD_SECONDS
