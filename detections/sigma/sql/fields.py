"""The fields of rules as expressions of SQL over the columns of `decisions`."""

from typing import NamedTuple

from detections.sigma.fields import KEYWORD_FIELDS, KEYWORDS, find_field
from detections.sigma.sql.text import joined, quoted

WHOLE = frozenset(
    {"input_tokens", "output_tokens", "size_bytes", "producer_epoch", "producer_seq"}
    | {"content_bytes", "arguments_bytes", "occurred_at", "deadline"}
)
DIGESTS = frozenset({"content_sha256", "arguments_sha256"})
ERASABLE = ("arguments", "content")
"""Columns that are NULL where the text was erased; its digest stays."""

ERASED = "({0} IS NULL AND {0}_digest IS NOT NULL)"
READABLE = "arguments_readable"
PREPARED = "arguments_prepared"

PREPARING = (
    f"if(arguments IS NULL, '{{}}', prepared(ifNull(arguments, ''))) AS {PREPARED}",
    # a byte order mark is no JSON, though ClickHouse passes over it
    f"if({ERASED.format('arguments')} OR startsWith(arguments, unhex('EFBBBF')), 0,"
    f" isNotNull(accurateCastOrNull({PREPARED}, 'JSON'))) AS {READABLE}",
)
"""Columns of a row's arguments: those parsed, and whether they can be."""


class Values(NamedTuple):
    """A field's values.

    Attributes:
        array: an array of values (see `macros`).
        unknown: true where they cannot be told; "" where they always can.
    """

    array: str
    unknown: str


def values_of(name: str) -> Values:
    """The columns of a field's values; `columns_of` says what is in them.

    Raises:
        KeyError: there is no such field.
    """
    called = name.encode().hex()
    return Values(f"values_{called}", f"unknown_{called}" if _computed(name).unknown else "")


def columns_of(name: str) -> list[str]:
    """What `values_of` names, for a query that has `PREPARING`.

    Raises:
        KeyError: there is no such field.
    """
    computed, named = _computed(name), values_of(name)
    found = [f"{computed.array} AS {named.array}"]
    return [*found, f"toUInt8({computed.unknown}) AS {named.unknown}"] if named.unknown else found


def _computed(name: str) -> Values:
    """A field's values in a row.

    Raises:
        KeyError: there is no such field.
    """
    if find_field(name) is None:
        raise KeyError(name)
    if name == KEYWORDS:
        return _keywords()
    if name == "args":
        return Values(f"leaves({PREPARED})", f"NOT {READABLE}")
    if name.startswith("args."):
        return _path(name.split(".")[1:])
    if name.startswith("labels."):
        label = quoted(name.removeprefix("labels."))
        return Values(f"if(mapContains(labels, {label}), [of_text(labels[{label}])], [])", "")
    unknown = ERASED.format(name) if name in ERASABLE else ""
    if name == "received_at":
        return Values("[of_whole(toUnixTimestamp64Milli(received_at) * 1000)]", "")
    if name == "cost_usd":
        return Values("[of_double(cost_usd)]", "")
    if name in WHOLE:
        return Values(f"if({name} IS NULL, [], [of_whole(assumeNotNull({name}))])", "")
    return Values(f"if({name} IS NULL, [], [of_text({text_of(name)})])", unknown)


def is_text(name: str) -> bool:
    """Whether a field is a column with one text at most, which can be asked without an array."""
    plain = find_field(name)
    return plain is not None and plain.kind == "text" and "." not in name


def text_of(name: str) -> str:
    """The text of a column that has one."""
    if name in DIGESTS:
        return f"lower(hex(assumeNotNull({name})))"
    return f"toString(assumeNotNull({name}))"


def _path(keys: list[str]) -> Values:
    raws = f"[{PREPARED}]"
    for key in keys:
        raws = f"step({raws}, {quoted(key)})"
    ends = f"spread({raws})"
    return Values(f"arrayMap(r -> of_raw(r), {ends})", f"(NOT {READABLE} OR has_lists({ends}))")


def _keywords() -> Values:
    own = [_computed(name).array for name in KEYWORD_FIELDS]
    labels = "arrayMap(t -> of_text(t), mapValues(labels))"
    unknown = joined("OR", [f"NOT {READABLE}", ERASED.format("content")], "0")
    leaves = f"if({READABLE}, leaves({PREPARED}), [])"
    return Values(f"arrayConcat({', '.join([*own, labels, leaves])})", unknown)
