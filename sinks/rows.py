"""Reads rows back as the Avro records that they were: every value bit for bit, so that they re-encode.

`schemas.codec.encode_body(schema(record["schema"]), decision_record(row))` gives a decision's very bytes
(all but the free text where that was erased).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clickhouse_connect.driver.client import Client

from schemas.catalogue import newest
from schemas.codec import Record
from sinks.tables import Table

BLOCK_ROWS = 10_000


def columns_of(table: Table) -> list[str]:
    """What to select, in the order of the record's fields, each under its field's name."""
    return [_column(field["name"], field["type"]) for field in newest(table.record).definition["fields"]]


def record_of(table: Table, row: Sequence[Any]) -> Record:
    """The Avro record of a row that was selected by `columns_of` and read with `formats_of`."""
    fields = newest(table.record).definition["fields"]
    return {field["name"]: _value(field["type"], value) for field, value in zip(fields, row, strict=True)}


def formats_of(table: Table) -> dict[str, str | dict[str, str]]:
    """How clickhouse-connect reads columns whose Python type is not the Avro record's: bytes, UUIDs."""
    formats: dict[str, str | dict[str, str]] = {}
    for field in newest(table.record).definition["fields"]:
        of = _plain(field["type"])
        if of == "bytes":
            formats[field["name"]] = "bytes"
        elif isinstance(of, dict) and of.get("logicalType") == "uuid":
            formats[field["name"]] = "string"
    return formats


def read_records(client: Client, table: Table, tail: str, parameters: Mapping[str, Any]) -> Iterator[Record]:
    """Stream the records of a table.

    Args:
        client: of the database.
        table: which.
        tail: what follows FROM in the SELECT: WHERE, ORDER BY, with `{name:Type}` parameters. Inside it a
            column means the table's, not the selected form.
        parameters: their values.

    Raises:
        clickhouse_connect.driver.exceptions.ClickHouseError: wrap with `sinks.connection.errors_of`.
    """
    columns = ", ".join(columns_of(table))
    stream = client.query_row_block_stream(
        f"SELECT {columns} FROM {table.name} AS stored {tail}",  # noqa: S608 - names from our own schemas
        parameters=dict(parameters),
        column_formats=formats_of(table),
        settings={"max_block_size": BLOCK_ROWS, "prefer_column_name_to_alias": 1},
    )
    with stream as blocks:
        for block in blocks:
            for row in block:
                yield record_of(table, row)


def _plain(of: Any) -> Any:
    return of[1] if isinstance(of, list) else of


def _column(name: str, of: Any) -> str:
    if isinstance(of, dict) and of.get("logicalType") == "timestamp-millis":
        return f"toUnixTimestamp64Milli(`{name}`) AS `{name}`"
    if isinstance(of, dict) and of["type"] == "map" and of["values"] == "bytes":
        return f"mapApply((key, item) -> (key, hex(item)), `{name}`) AS `{name}`"
    if isinstance(of, dict) and of["type"] == "array" and _holds_bytes(of["items"]):
        return f"arrayMap(item -> (item.1, hex(item.2)), `{name}`) AS `{name}`"
    return f"`{name}`"


def _holds_bytes(item: Any) -> bool:
    return isinstance(item, dict) and any(_plain(f["type"]) == "bytes" for f in item.get("fields", ()))


def _value(of: Any, value: Any) -> Any:
    if isinstance(of, dict) and of["type"] == "map" and of["values"] == "bytes":
        return {key: _unhex(raw) for key, raw in value.items()}
    if not isinstance(of, dict) or of["type"] != "array":
        return value
    item = of["items"]
    if not isinstance(item, dict) or item["type"] != "record":
        return list(value)
    names = [field["name"] for field in item["fields"]]
    if _holds_bytes(item):
        return [dict(zip(names, (key, _unhex(raw)), strict=True)) for key, raw in value]
    return [dict(zip(names, _members(names, entry), strict=True)) for entry in value]


def _members(names: Sequence[str], entry: Any) -> Sequence[Any]:
    return [entry[name] for name in names] if isinstance(entry, dict) else list(entry)


def _unhex(raw: str | None) -> bytes | None:
    return None if raw is None else bytes.fromhex(raw)
