"""The small types that the language is made of: names, texts, numbers, patterns."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field
from pydantic import Tag as Branch
from pydantic_core import PydanticCustomError

from policies.canonical import LARGEST
from policies.pattern import parse_pattern

RESERVED = "bundle"
"""The policy name under which a bundle's own reasons (its default) stand."""
CONTROL = "control"
"""The policy name under which the reasons of control orders stand."""
RESERVED_NAMES = (RESERVED, CONTROL, "praetor")

CodedId = Literal["denial-burst"]
"""The detectors in code, which a bundle sets."""
SourceId = Literal["source-gap", "source-regression", "source-duplicate"]
"""What judgement itself notices in producers' numbering; always on, nothing to set."""
DetectorId = Literal[CodedId, SourceId]
CODED: tuple[str, ...] = get_args(CodedId)
DETECTORS: tuple[str, ...] = get_args(DetectorId)
"""What rules may match, in the order of the index's bits."""

EffectName = Literal["allow", "deny", "modify", "require_approval", "defer"]
RefusalName = Literal["deny", "require_approval", "defer"]
"""The effects that stop an action, at least for now."""
REFUSALS: tuple[str, ...] = get_args(RefusalName)
PhaseName = Literal["prompt", "call", "result", "definition", "approval", "outcome"]
SeverityName = Literal["informational", "low", "medium", "high", "critical"]


def _check_pattern(text: str) -> str:
    try:
        parse_pattern(text)
    except ValueError as error:
        raise PydanticCustomError("pattern", "{why}", {"why": str(error)}) from error
    return text


def _check_name(text: str) -> str:
    if text in RESERVED_NAMES:
        raise PydanticCustomError(
            "reserved", "'{name}' is Praetor's own name; choose another", {"name": text}
        )
    return text


def _check_text(text: str) -> str:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise PydanticCustomError("surrogate", "a lone surrogate is no character; remove it")
    return text


class Model(BaseModel):
    """What all parts share: no unknown key, no silent conversion, nothing changes after."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Text = Annotated[str, AfterValidator(_check_text)]
Words = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_check_text)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$"), AfterValidator(_check_name)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""What conditions call a list or a shared condition by."""
PatternText = Annotated[Text, AfterValidator(_check_pattern)]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]


class ListRef(Model):
    """Stands for the entries of a named list, in any list of patterns: `- list: payees`."""

    list: Name


TEXT_BRANCH, OTHER_BRANCH = "(text)", "(other)"
"""Steps in pydantic's paths where a value may have two forms: no key can be called so in a message."""


def _branch(value: Any) -> str:
    return OTHER_BRANCH if isinstance(value, dict | list | BaseModel) else TEXT_BRANCH


BY_FORM = Discriminator(_branch)
"""Told apart by form, so that a mistake is told of the form that was written."""
PatternEntry = Annotated[
    Annotated[PatternText, Branch(TEXT_BRANCH)] | Annotated[ListRef, Branch(OTHER_BRANCH)], BY_FORM
]
