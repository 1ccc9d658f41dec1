"""The documents of the policy language `praetor/v1`, as pydantic sees them.

What the models alone cannot know (places in files, names across files) is checked in `load` and `resolve`.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from documents.types import Model, Text, Words
from policies.case import Case
from policies.rule import Rule
from policies.types import Id, Name

API_VERSION: Literal["praetor/v1"] = "praetor/v1"


class Metadata(Model):
    """What a policy is called and for."""

    name: Id
    description: Annotated[Text, Field(min_length=1, max_length=2000)]


class Policy(Model):
    """A document of `kind: Policy`.

    A policy that extends others has their rules too, those with an id of its own replaced, those in
    `without` left out. A template is there to be extended: it is itself not in force.
    """

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Policy"]
    metadata: Metadata
    mode: Literal["enforce", "shadow", "template"] = "enforce"
    extends: Annotated[list[Id], Field(min_length=1, max_length=16)] | None = None
    without: Annotated[list[Id], Field(min_length=1)] | None = None
    rules: list[Rule] = Field(default_factory=list)
    cases: Annotated[list[Case], Field(min_length=2)]

    @model_validator(mode="after")
    def _some(self) -> "Policy":
        if not self.rules and not self.extends:
            raise PydanticCustomError("empty", "the policy has no rule; add one under 'rules'")
        if self.without and not self.extends:
            raise PydanticCustomError("empty", "'without' leaves out inherited rules; it needs 'extends'")
        return self


Entries = Annotated[list[Text], Field(min_length=1, max_length=10_000)]


class Lists(Model):
    """A document of `kind: Lists`: named lists, for `match` (`- list: name`) and `when` (`lists.name`)."""

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Lists"]
    lists: Annotated[dict[Name, Entries], Field(min_length=1)]


class Conditions(Model):
    """A document of `kind: Conditions`: conditions that rules share, as `conditions.name` in `when`."""

    apiVersion: Literal["praetor/v1"]
    kind: Literal["Conditions"]
    conditions: Annotated[dict[Name, Words], Field(min_length=1)]
