"""Any record that an Avro schema allows, the extremes more often than chance would have them."""

import struct
from typing import Any

from hypothesis import strategies as st

INT64 = (-(2**63), 2**63 - 1)
INT32 = (-(2**31), 2**31 - 1)

texts = st.text(max_size=20) | st.sampled_from(
    ["", "\x00", "a\x00b", "\U0010ffff", "'\\`\"\n", "NULL", "\\N"]
)
doubles = st.binary(min_size=8, max_size=8).map(lambda bits: struct.unpack("<d", bits)[0]) | st.sampled_from(
    [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7976931348623157e308]
)


def integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.sampled_from([low, high, 0, -1, 1]) | st.integers(low, high)


def values(of: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    if isinstance(of, list):
        return st.none() | values(of[1], named)
    if isinstance(of, str):
        of = named.get(of, {"type": of})
    simple = {
        "long": integers(*INT64),
        "int": integers(*INT32),
        "double": doubles,
        "boolean": st.booleans(),
        "bytes": st.binary(max_size=20),
    }
    kind = of["type"]
    if kind in simple:
        return simple[kind]
    if kind == "string":
        return st.uuids().map(str) if of.get("logicalType") == "uuid" else texts
    return complex_values(kind, of, named)


def complex_values(kind: str, of: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    if kind in ("enum", "fixed"):
        named[of["name"]] = of
        return (
            st.sampled_from(of["symbols"])
            if kind == "enum"
            else st.binary(min_size=of["size"], max_size=of["size"])
        )
    if kind == "map":
        return st.dictionaries(texts, values(of["values"], named), max_size=4)
    if kind == "array":
        return st.lists(values(of["items"], named), max_size=3)
    assert kind == "record", kind
    return records(of, named)


def records(definition: Any, named: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    known: dict[str, Any] = {} if named is None else named
    return st.fixed_dictionaries({f["name"]: values(f["type"], known) for f in definition["fields"]})
