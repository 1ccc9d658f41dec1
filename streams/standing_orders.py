"""Kill, quarantine, grant and release orders: from payloads to what stands, and back."""

import json
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from judgement.standing_order import OrderKind, StandingOrder, Target, because, patterns
from runtime.errors import Malformed, Newer
from streams.orders import Order
from streams.standing_payloads import VERSION, Anyone, Denial, Permission, Release

KINDS = ("kill", "quarantine", "grant", "release")
"""The kinds of orders that this module reads."""
LARGEST_PAYLOAD = 64 << 10

_READERS: dict[str, TypeAdapter[Any]] = {
    "kill": TypeAdapter(Denial),
    "quarantine": TypeAdapter(Denial),
    "grant": TypeAdapter(Permission),
    "release": TypeAdapter(Release),
}


class Given(NamedTuple):
    """An order that stands, with its reason, who gave it, and when by their clock (milliseconds).

    `actions` and `resources` are a grant's patterns as they were written.
    """

    order: StandingOrder
    reason: str
    author: str
    issued_at: int
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()


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
    written = (tuple(permission.actions), tuple(permission.resources)) if permission else ((), ())
    return Given(standing, said.reason, order.author, order.issued_at, *written)


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
    if type(version) is not int:
        raise Malformed(f"a {order.kind} order whose version is {str(version)[:64]!r}, no number")
    if version > VERSION:
        raise Newer(f"a {order.kind} order of version {version}; this version of praetor knows {VERSION}")
    try:
        return _READERS[order.kind].validate_python(said)
    except ValidationError as error:
        raise Malformed(_mistakes(order.kind, error)) from error


def _mistakes(kind: str, error: ValidationError) -> str:
    told = [f"{'.'.join(map(str, e['loc'])) or 'it'}: {e['msg']}" for e in error.errors(include_url=False)]
    return f"a {kind} order that says too little or too much: {'; '.join(told[:5])}"
