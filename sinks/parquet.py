"""OCSF events as Parquet, zstd-compressed: one class a file, ordered by time."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sinks.extra import need
from sinks.formats.ocsf_columns import COLUMNS, Kind, row

WHAT = "Parquet"


class Parquet:
    """Writes files with pyarrow."""

    def __init__(self) -> None:
        """Find the library.

        Raises:
            PraetorError: pyarrow is not installed.
        """
        self._arrow = need("pyarrow", WHAT)
        self._parquet = need("pyarrow.parquet", WHAT)
        self._schema = cache(self._schema_of)

    def file(self, documents: Sequence[Mapping[str, Any]]) -> bytes:
        """A file of documents of one class."""
        ordered = sorted(documents, key=lambda document: document["time"])
        schema = self._schema(ordered[0]["class_uid"])
        table = self._arrow.Table.from_pylist([row(document) for document in ordered], schema=schema)
        sink = self._arrow.BufferOutputStream()
        self._parquet.write_table(table, sink, compression="zstd")
        return bytes(sink.getvalue())

    def _schema_of(self, class_uid: int) -> Any:
        return self._arrow.schema([(name, self._type(kind)) for name, kind in COLUMNS[class_uid].items()])

    def _type(self, kind: Kind) -> Any:
        arrow = self._arrow
        if isinstance(kind, dict):
            return arrow.struct([(name, self._type(inner)) for name, inner in kind.items()])
        if isinstance(kind, list):
            return arrow.list_(self._type(kind[0]))
        plain = {
            "string": arrow.string,
            "json": arrow.string,
            "int": arrow.int32,
            "long": arrow.int64,
            "bool": arrow.bool_,
        }
        return arrow.map_(arrow.string(), arrow.string()) if kind == "map" else plain[kind]()
