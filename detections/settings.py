"""What can be set of detections: `kind: Detections`, at most one document in a bundle.

A block for each detector in code, by its name; and for every kind of finding (of code, of a Sigma rule, of a
correlation), by its id, whether it is on, how bad it is and how long it is held.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, cast

from pydantic import ConfigDict, Field, create_model

from detections.coded import Coded
from detections.registry import DETECTORS
from documents.types import Model, SeverityName

LONGEST_HOLD = 7 * 86_400
SKEW_SECONDS = 300
LARGEST_SKEW = 86_400


class Tuning(Model):
    """What can be set of every kind of finding."""

    enabled: Annotated[
        bool | None, Field(description="false: it is not looked for; rules may still name it.")
    ] = None
    severity: Annotated[SeverityName | None, Field(description="How bad its findings are.")] = None
    hold_seconds: Annotated[
        int | None,
        Field(ge=0, le=LONGEST_HOLD, description="How long later actions see it as a recent detection."),
    ] = None


class _Others(Model):
    """Detections by name: thresholds of those in code; of each, whether it is on, and how bad it is."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Tuning]


Coding = tuple[type[Coded], ...]


@cache
def settings_model(detectors: Coding = DETECTORS) -> type[Model]:
    """The model of the settings: a block for each detector in code, and a `Tuning` for any other id."""
    blocks: dict[str, Any] = {}
    for detector in detectors:
        block = create_model(
            f"{detector.__name__}Block",
            __base__=(detector.Settings, Tuning),
            __doc__=detector.Settings.__doc__,
        )
        told = detector.abouts[0].title if len(detector.abouts) == 1 else f"Thresholds of {detector.name}."
        field = Field(default=None, alias=detector.name, description=told)
        blocks[detector.name.replace("-", "_")] = (Annotated[block | None, field], None)
    return cast(
        type[Model], create_model("DetectionSettings", __base__=_Others, __doc__=_Others.__doc__, **blocks)
    )


class Settings:
    """Settings, read.

    Attributes:
        detectors: those in code that they are for.
    """

    def __init__(self, model: Model, detectors: Coding = DETECTORS) -> None:
        """Take a `settings_model` of some detectors."""
        self.detectors = detectors
        self._model = model

    @classmethod
    def read(cls, value: Mapping[str, Any], detectors: Coding = DETECTORS) -> "Settings":
        """Validate plain values.

        Raises:
            pydantic.ValidationError: they are no settings.
        """
        return cls(settings_model(detectors).model_validate(value), detectors)

    def block(self, name: str) -> Any:
        """The block of a detector in code; None where there is none."""
        return getattr(self._model, name.replace("-", "_"))

    def tuning(self, name: str) -> Tuning:
        """What is set of a kind of finding, or of a detector in code as a whole."""
        if name in {d.name for d in self.detectors}:
            return self.block(name) or Tuning()
        return (self._model.model_extra or {}).get(name) or Tuning()

    def others(self) -> list[str]:
        """The names that have a block and are no detector's in code."""
        return list(self._model.model_extra or {})

    def written(self) -> dict[str, Any]:
        """Plain values, without what is not set."""
        return self._model.model_dump(mode="json", by_alias=True, exclude_none=True)

    def written_out(self) -> dict[str, Any]:
        """Plain values, with a block for every detector in code, defaults written out: what bundles carry.

        The detectors of a later version are so off in the bundles of this one.
        """
        value = self.written()
        for detector in self.detectors:
            block = value.get(detector.name, {})
            value[detector.name] = detector.Settings().model_dump(mode="json") | block
        return value


def _document() -> type[Model]:
    fields: dict[str, Any] = {
        "apiVersion": (Annotated[Literal["praetor/v1"], Field(description="The language's version.")], ...),
        "kind": (Annotated[Literal["Detections"], Field(description="What this document is.")], ...),
        "detections": (
            Annotated[settings_model(), Field(description="By detector, rule or kind of finding.")],
            ...,
        ),
        "library": (
            Annotated[
                bool, Field(description="Whether the shipped rules and correlations are in the bundle.")
            ],
            True,
        ),
        "skew_seconds": (
            Annotated[
                int,
                Field(
                    ge=0,
                    le=LARGEST_SKEW,
                    description="How far from its receipt a correlation believes when an action says it was.",
                ),
            ],
            SKEW_SECONDS,
        ),
    }
    told = "A document of `kind: Detections`: at most one in a bundle."
    return cast(type[Model], create_model("Detections", __base__=Model, __doc__=told, **fields))


DetectionsDocument = _document()
"""The shape of the document."""
