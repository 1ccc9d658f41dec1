"""JSON Schemas (2020-12) of documents, from their models: what editors complete from."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.catalogue import newest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMMENT = "written by `make docs`; change the code instead"


def parts_of(shapes: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """The schemas of some models and of all that they are made of, tidied, by name."""
    _, made = models_json_schema([(shape, "validation") for shape in shapes], by_alias=True)
    return {name: describe_keys(_tidy(part)) for name, part in sorted(made["$defs"].items())}


def one_schema(title: str, shape: type[BaseModel]) -> str:
    """The schema of documents of one shape, as a file."""
    whole = {"$schema": DIALECT, "$comment": COMMENT, "title": title, "$ref": f"#/$defs/{shape.__name__}"}
    return json.dumps(whole | {"$defs": parts_of([shape])}, indent=1, ensure_ascii=False) + "\n"


def describe_keys(part: Mapping[str, Any]) -> dict[str, Any]:
    """A model's schema in which keys without words that are fields of an action have the action's."""
    found = dict(part)
    found["description"] = " ".join(str(part.get("description", "")).split())
    for key, value in found.get("properties", {}).items():
        # beside a $ref other keys count, as this dialect has it
        value.setdefault("description", field_doc(key))
    return found


def field_doc(name: str) -> str:
    """What the record's own schema says of a field of the action."""
    fields = newest("action_event").definition["fields"]
    return next((str(f["doc"]) for f in fields if f["name"] == name), "")


def _tidy(value: Any) -> Any:
    """Without titles, which repeat the keys, and without the null that stands for a key left out."""
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: {name: _tidy(each) for name, each in part.items()} if key == "properties" else _tidy(part)
        for key, part in value.items()
        if not (key == "title" and isinstance(part, str)) and not (key == "default" and part is None)
    }
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    choices = kept.get("anyOf")
    if choices and {"type": "null"} in choices and len(choices) == 2:
        kept |= next(choice for choice in choices if choice != {"type": "null"})
        del kept["anyOf"]
    return kept
