"""The JSON Schema (2020-12) of the documents: what editors complete from. Made from the models, with words.

It says less than `praetor policy lint`: what stands in a pattern, a path or a condition, and what names stand
for across files, no JSON Schema can tell. A document that lint accepts is valid by it, if it leaves keys out
rather than empty.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from policies.schema_words import WORDS
from policies.wording import SHAPES
from schemas.catalogue import newest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "Documents of praetor/v1"
COMMENT = "written by `make docs`; change the code instead"


def document_schema() -> dict[str, Any]:
    """The schema of one document, of any kind."""
    _, made = models_json_schema([(shape, "validation") for shape in SHAPES.values()], by_alias=True)
    parts: dict[str, Any] = {name: _part(name, part) for name, part in sorted(made["$defs"].items())}
    return {
        "$schema": DIALECT,
        "$comment": COMMENT,
        "title": TITLE,
        "description": "A YAML file may hold several, with `---` between them.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in SHAPES],
        "$defs": parts,
    }


def schema_text() -> str:
    """The same as a file."""
    return json.dumps(document_schema(), indent=1, ensure_ascii=False) + "\n"


def _part(name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    """One model's schema, its keys described."""
    found: dict[str, Any] = _tidy(part)
    found["description"] = " ".join(str(part.get("description", "")).split())
    words = WORDS.get(name, {}) if name != "CaseAction" else {}
    for key, value in found.get("properties", {}).items():
        text, examples = words.get(key, (_field_doc(key), ()))
        # beside a $ref other keys count, as this dialect has it
        value["description"] = text
        if examples:
            value["examples"] = list(examples)
    return found


def _field_doc(name: str) -> str:
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
