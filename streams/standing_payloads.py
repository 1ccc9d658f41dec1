"""The payloads of kill, quarantine, grant and release orders (JSON), as pydantic sees them.

A payload has `version` 1, `reason` and `target`. Kills and quarantines may have `expires_at`, grants must. A
release names an `order`, or a `target` and a `kind`. A version of praetor that gives a payload more meaning
gives it another `version`: what an older one cannot read it must not pass over.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from documents.pattern import parse_pattern
from judgement.standing_order import OrderKind

VERSION = 1
LAST_MOMENT = 253_402_300_799_999
"""The end of the year 9999: an expiry has four digits of year."""


def _readable(text: str) -> str:
    if not text.strip() or any(not c.isprintable() for c in text):
        raise ValueError("it must have characters that can be seen, and no others than such and spaces")
    return text


Name = Annotated[str, Field(min_length=1, max_length=2000)]
Why = Annotated[str, Field(max_length=500), AfterValidator(_readable)]
Moment = Annotated[int, Field(gt=0, le=LAST_MOMENT)]
OrderId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Patterns = Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=100)]


class Said(BaseModel):
    """What all parts share: no unknown key, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Fleet(Said):
    """Every agent of every tenant."""

    kind: Literal["fleet"]


class OfTenant(Said):
    """Every agent of a tenant."""

    kind: Literal["tenant"]
    tenant: Name


class OfAgent(Said):
    """An agent."""

    kind: Literal["agent"]
    tenant: Name
    agent: Name


class OfSession(Said):
    """What an agent does in a session."""

    kind: Literal["session"]
    tenant: Name
    agent: Name
    session: Name


class OfTool(Said):
    """Uses of a tool: of any server and in any tenant, unless named."""

    kind: Literal["tool"]
    tool: Name
    tool_server: Name | None = None
    tenant: Name | None = None


Anyone = Annotated[Fleet | OfTenant | OfAgent | OfSession | OfTool, Field(discriminator="kind")]


class Denial(Said):
    """The payload of a kill or a quarantine."""

    version: Literal[1]
    target: Anyone
    reason: Why
    expires_at: Moment | None = None


class Permission(Said):
    """The payload of a grant."""

    version: Literal[1]
    target: Annotated[OfAgent | OfSession | OfTool, Field(discriminator="kind")]
    reason: Why
    expires_at: Moment
    actions: Patterns = []
    resources: Patterns = []
    through_quarantine: bool = False

    @model_validator(mode="after")
    def _narrow(self) -> "Permission":
        for text in (*self.actions, *self.resources):
            parse_pattern(text)
        if self.target.tenant is None:
            raise ValueError("a grant of a tool is within a tenant: name it")
        if self.through_quarantine and self.target.kind == "tool":
            raise ValueError("only an agent or a session is let through a quarantine, not a tool")
        return self


class Release(Said):
    """The payload of a release: of one order, or of all of a kind at one target."""

    version: Literal[1]
    reason: Why
    order: OrderId | None = None
    target: Anyone | None = None
    kind: OrderKind | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "Release":
        if (self.order is None) != (self.target is not None and self.kind is not None):
            raise ValueError("a release names an order, or a target and a kind")
        return self
