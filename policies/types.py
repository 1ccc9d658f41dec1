"""The small types that the policy language is made of: names, numbers, patterns."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field
from pydantic import Tag as Branch
from pydantic_core import PydanticCustomError

from documents.types import BY_FORM, OTHER_BRANCH, TEXT_BRANCH, Model, PatternText
from documents.types import Id as AnyId
from policies.canonical import LARGEST

RESERVED = "bundle"
"""The policy name under which a bundle's own reasons (its default) stand."""
CONTROL = "control"
"""The policy name under which the reasons of control orders stand."""
RESERVED_NAMES = (RESERVED, CONTROL, "praetor")

EffectName = Literal["allow", "deny", "modify", "require_approval", "defer"]
RefusalName = Literal["deny", "require_approval", "defer"]
"""The effects that stop an action, at least for now."""
REFUSALS: tuple[str, ...] = get_args(RefusalName)


def _check_name(text: str) -> str:
    if text in RESERVED_NAMES:
        raise PydanticCustomError(
            "reserved", "'{name}' is Praetor's own name; choose another", {"name": text}
        )
    return text


Id = Annotated[AnyId, AfterValidator(_check_name)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
"""What conditions call a list or a shared condition by."""
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]


class ListRef(Model):
    """Stands for the entries of a named list, in any list of patterns: `- list: payees`."""

    list: Name


PatternEntry = Annotated[
    Annotated[PatternText, Branch(TEXT_BRANCH)] | Annotated[ListRef, Branch(OTHER_BRANCH)], BY_FORM
]
