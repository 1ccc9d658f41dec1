"""The small types that documents are made of, whatever they are about."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field
from pydantic_core import PydanticCustomError

from documents.pattern import parse_pattern

PhaseName = Literal["prompt", "call", "result", "definition", "approval", "outcome"]
SeverityName = Literal["informational", "low", "medium", "high", "critical"]


def _check_text(text: str) -> str:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise PydanticCustomError("surrogate", "a lone surrogate is no character; remove it")
    return text


def _check_pattern(text: str) -> str:
    try:
        parse_pattern(text)
    except ValueError as error:
        raise PydanticCustomError("pattern", "{why}", {"why": str(error)}) from error
    return text


class Model(BaseModel):
    """What all parts share: no unknown key, no silent conversion, nothing changes after."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Text = Annotated[str, AfterValidator(_check_text)]
Words = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_check_text)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""What a policy, a rule or a detection is called; which names are taken, each kind of document says."""
PatternText = Annotated[Text, AfterValidator(_check_pattern)]
Long = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]

TEXT_BRANCH, OTHER_BRANCH = "(text)", "(other)"
"""Steps in pydantic's paths where a value may have two forms: no key can be called so in a message."""
KEY = "[key]"
"""The last step of pydantic's path to a key that does not fit."""


def _branch(value: Any) -> str:
    return OTHER_BRANCH if isinstance(value, dict | list | BaseModel) else TEXT_BRANCH


BY_FORM = Discriminator(_branch)
"""Told apart by form, so that a mistake is told of the form that was written."""
