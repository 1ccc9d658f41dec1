"""What a bundle carries of detections: plain values in, everything that detections are made of out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from detections.exceptions import RuleException, write_exceptions
from detections.settings import LARGEST_SKEW, SKEW_SECONDS, Settings
from detections.sigma.correlation.model import Correlation
from detections.sigma.rule import SigmaRule
from detections.source import IDS as SOURCE_IDS
from detections.source import ON as SOURCE_ON
from documents.types import Model
from runtime.errors import Newer

CUT = "detections-cut"
"""On where a detector had to cut what it looks at, or could not look at it."""
EARLIER = ("denial-burst",)
"""The detectors of bundles that do not list their names: before engine 4 there was no other."""


class _Carried(Model):
    """The plain values."""

    settings: dict[str, Any]
    rules: list[SigmaRule] = Field(default_factory=list)
    correlations: list[Correlation] = Field(default_factory=list)
    exceptions: list[RuleException] = Field(default_factory=list)
    skew_seconds: int = Field(SKEW_SECONDS, ge=0, le=LARGEST_SKEW)


class Content(NamedTuple):
    """What detections of one bundle are made of.

    Attributes:
        settings: thresholds and tuning; a detector in code without a block is off.
        rules: in Sigma.
        correlations: of these rules.
        exceptions: the first that holds, mutes.
        skew_seconds: how far `occurred_at` is believed, where a correlation goes by it.
    """

    settings: Settings
    rules: tuple[SigmaRule, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    exceptions: tuple[RuleException, ...] = ()
    skew_seconds: int = SKEW_SECONDS

    def names(self) -> tuple[str, ...]:
        """Everything that rules may match, sorted."""
        coded = {name for detector in self.settings.detectors for name in detector.ids}
        sigma = {rule.name for rule in self.rules} | {c.name for c in self.correlations}
        return tuple(sorted(coded | sigma | {*SOURCE_IDS, CUT}))


def read_content(value: Mapping[str, Any], names: Sequence[str] | None) -> tuple[Content, tuple[str, ...]]:
    """Read what `write_content` made: the content, and the names that rules may match.

    Without `names`: what bundles carried before they listed them.

    Raises:
        Newer: it is nothing that this version knows.
    """
    try:
        if names is None:
            settings = Settings.read({name: {} for name in EARLIER} | dict(value))
            return Content(settings), tuple(sorted((*EARLIER, *SOURCE_ON)))
        carried = _Carried.model_validate(value)
        content = Content(
            Settings.read(carried.settings),
            tuple(carried.rules),
            tuple(carried.correlations),
            tuple(carried.exceptions),
            carried.skew_seconds,
        )
    except ValidationError as error:
        raise Newer(f"not detections as this version of praetor knows them: {str(error)[:300]}") from error
    return content, tuple(names)


def write_content(content: Content) -> dict[str, Any]:
    """Plain values for the bundle, every threshold written out."""
    return {
        "settings": content.settings.written_out(),
        "rules": [rule.to_json() for rule in sorted(content.rules, key=_name)],
        "correlations": [c.to_json() for c in sorted(content.correlations, key=_name)],
        "exceptions": write_exceptions(content.exceptions),
        "skew_seconds": content.skew_seconds,
    }


def _name(rule: SigmaRule | Correlation) -> str:
    return rule.name
