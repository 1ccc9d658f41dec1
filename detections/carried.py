"""What a bundle carries of detections: plain values in, everything that detections are made of out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from detections.settings import Settings
from detections.source import IDS as SOURCE_IDS
from detections.source import ON as SOURCE_ON
from runtime.errors import Newer

CUT = "detections-cut"
"""On where a detector had to cut what it looks at, or could not look at it."""
EARLIER = ("denial-burst",)
"""The detectors of bundles that do not list their names: before engine 4 there was no other."""


class Content(NamedTuple):
    """What detections of one bundle are made of.

    Attributes:
        settings: thresholds and tuning; a detector in code without a block is off.
        names: everything that rules may match, sorted; a kind's place is its bit.
    """

    settings: Settings
    names: tuple[str, ...]


def read_content(value: Mapping[str, Any], names: Sequence[str] | None) -> Content:
    """Read what `write_content` made; without `names`, what bundles carried before there were any.

    Raises:
        Newer: it is nothing that this version knows.
    """
    try:
        if names is None:
            settings = Settings.read({name: {} for name in EARLIER} | dict(value))
            return Content(settings, tuple(sorted((*EARLIER, *SOURCE_ON))))
        unknown = set(value) - {"settings"}
        if unknown:
            raise Newer(
                f"detections with {', '.join(sorted(unknown))[:200]}, which this version does not know"
            )
        return Content(Settings.read(value["settings"]), tuple(names))
    except (ValidationError, KeyError) as error:
        raise Newer(f"not detections as this version of praetor knows them: {str(error)[:300]}") from error


def write_content(settings: Settings) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Plain values for the bundle, and all names that rules may match, sorted."""
    names = {name for detector in settings.detectors for name in detector.ids} | {*SOURCE_IDS, CUT}
    return {"settings": settings.written_out()}, tuple(sorted(names))
