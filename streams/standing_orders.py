"""What kill, quarantine, grant and release orders say: payloads (JSON), checked.

A payload has `version` 1, `reason` and `target`. Kills and quarantines may have `expires_at`, grants must. A
release names an `order`, or a `target` and a `kind`. A version of praetor that gives a payload more meaning
gives it another `version`: what an older one cannot read it must not pass over.
"""

import json
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from judgement.standing_order import OrderKind, StandingOrder, Target, because, patterns
from policies.pattern import parse_pattern
from runtime.errors import Malformed, Newer
from streams.orders import Order

VERSION = 1
KINDS = ("kill", "quarantine", "grant", "release")
"""The kinds of orders that this module reads."""
LARGEST_PAYLOAD = 64 << 10
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


_READERS: dict[str, TypeAdapter[Any]] = {
    "kill": TypeAdapter(Denial),
    "quarantine": TypeAdapter(Denial),
    "grant": TypeAdapter(Permission),
    "release": TypeAdapter(Release),
}


class Given(NamedTuple):
    """An order that stands, with its reason, who gave it, and when by their clock (milliseconds)."""

    order: StandingOrder
    reason: str
    author: str
    issued_at: int


def target_of(said: Anyone) -> Target:
    """The target that a payload names."""
    names = said.model_dump(exclude={"kind"})
    return Target(**names)


def target_payload(target: Target) -> dict[str, str]:
    """A target as payloads name it."""
    return {"kind": target.kind, **{k: v for k, v in target._asdict().items() if v is not None}}


def payload(**said: Any) -> bytes:
    """A payload's bytes: canonical, with its version."""
    return json.dumps({"version": VERSION, **said}, sort_keys=True, ensure_ascii=True).encode()


def order_id(order: Order) -> str:
    """What a release calls an order: the first half of its digest, as 32 hexadecimal digits."""
    return order.digest().hex()[:32]


def read_standing(order: Order, offset: int) -> Given:
    """Read a kill, a quarantine or a grant, believed, from its place on agent.control.

    Raises:
        Malformed: it does not say what such an order must.
        Newer: it has a version that this one does not know.
    """
    said = _read(order)
    kind: OrderKind = order.kind  # type: ignore[assignment]
    if said.expires_at is not None and said.expires_at <= order.issued_at:
        raise Malformed(f"the {kind} was over before it was given: it expires at {said.expires_at}")
    identity = order_id(order)
    permission = said if isinstance(said, Permission) else None
    standing = StandingOrder(
        kind,
        identity,
        target_of(said.target),
        because(kind, identity, order.author, said.reason, said.expires_at),
        offset,
        said.expires_at,
        actions=patterns(permission.actions) if permission else (),
        resources=patterns(permission.resources) if permission else (),
        through_quarantine=permission is not None and permission.through_quarantine,
    )
    return Given(standing, said.reason, order.author, order.issued_at)


def read_release(order: Order) -> Release:
    """Read a release.

    Raises:
        Malformed, Newer: as `read_standing`.
    """
    said: Release = _read(order)
    return said


def _read(order: Order) -> Any:
    if len(order.payload) > LARGEST_PAYLOAD:
        raise Malformed(f"the payload of a {order.kind} order has {len(order.payload)} bytes, too many")
    if order.signed_by and order.author != order.signed_by:
        raise Malformed(f"a {order.kind} by {order.author[:64]!r} that {order.signed_by!r} signed")
    said = order.json()
    version = said.get("version")
    if type(version) is int and version > VERSION:
        raise Newer(f"a {order.kind} order of version {version}; this version of praetor knows {VERSION}")
    try:
        return _READERS[order.kind].validate_python(said)
    except ValidationError as error:
        raise Malformed(_mistakes(order.kind, error)) from error


def _mistakes(kind: str, error: ValidationError) -> str:
    told = [f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors(include_url=False)]
    return f"a {kind} order that says too little or too much: {'; '.join(told[:5])}"
