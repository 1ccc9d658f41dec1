"""The JSON Schemas of the documents that go with detections."""

from detections.cases import CasesDocument
from detections.exceptions import ExceptionsDocument
from documents.json_schema import one_schema
from documents.types import Model

TITLES: dict[str, tuple[str, type[Model]]] = {
    "cases": ("Cases of detections: <rule>.cases.yml", CasesDocument),
    "exceptions": ("Exceptions of detections (kind: Exceptions)", ExceptionsDocument),
}
KINDS = tuple(TITLES)


def schema_of(kind: str) -> str:
    """The schema of a kind of document, as a file.

    Raises:
        KeyError: there is no such kind.
    """
    return one_schema(*TITLES[kind])
