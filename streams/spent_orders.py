"""Orders of kind `spent`: what several agents spent together of a limit that spans them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from policies.limits import Entries
from runtime.errors import Malformed, Newer
from streams.orders import Order

KIND = "spent"
VERSION = 1

Number = Annotated[int, Field(ge=0, le=1 << 62)]


class Spent(BaseModel):
    """The payload: a limit (`policy/rule`), the value that it counts by, amounts by slot, oldest first."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    version: Literal[1]
    limit: Annotated[str, Field(min_length=1, max_length=500)]
    key: Annotated[str, Field(max_length=4000)]
    entries: Annotated[
        list[Annotated[list[Number], Field(min_length=2, max_length=2)]], Field(max_length=100)
    ]


def read_spent(order: Order) -> tuple[tuple[str, str], Entries]:
    """What a believed order tells: limit and key, and the amounts by slot.

    Raises:
        Malformed: it does not say what such an order must.
        Newer: it has a version that this one does not know.
    """
    said: dict[str, Any] = order.json()
    version = said.get("version")
    if type(version) is int and version > VERSION:
        raise Newer(f"a {KIND} order of version {version}; this version of praetor knows {VERSION}")
    try:
        found = Spent.model_validate(said)
    except ValidationError as error:
        raise Malformed(
            f"a {KIND} order that says too little or too much: {error.error_count()} mistakes"
        ) from error
    return (found.limit, found.key), tuple((slot, amount) for slot, amount in found.entries)
