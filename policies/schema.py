"""The JSON Schema (2020-12) of the documents: what editors complete from. Made from the models, with words.

It says less than `praetor policy lint`: what stands in a pattern, a path or a condition, and what names stand
for across files, no JSON Schema can tell. A document that lint accepts is valid by it, if it leaves keys out
rather than empty.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from documents.json_schema import COMMENT, DIALECT, parts_of
from policies.schema_words import WORDS
from policies.wording import SHAPES

TITLE = "Documents of praetor/v1"


def document_schema(beside: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """The schema of one document, of any kind; `beside` are the kinds that are not policies' own."""
    shapes = {**SHAPES, **beside}
    return {
        "$schema": DIALECT,
        "$comment": COMMENT,
        "title": TITLE,
        "description": "A YAML file may hold several, with `---` between them.",
        "type": "object",
        "required": ["apiVersion", "kind"],
        "oneOf": [{"$ref": f"#/$defs/{shape.__name__}"} for shape in shapes.values()],
        "$defs": {name: _described(name, part) for name, part in parts_of(shapes.values()).items()},
    }


def schema_text(beside: Mapping[str, type[BaseModel]]) -> str:
    """The same as a file."""
    return json.dumps(document_schema(beside), indent=1, ensure_ascii=False) + "\n"


def _described(name: str, part: dict[str, Any]) -> dict[str, Any]:
    """One model's schema with our words for its keys."""
    words = WORDS.get(name, {}) if name != "CaseAction" else {}
    for key, value in part.get("properties", {}).items():
        if key not in words:
            continue
        value["description"], examples = words[key]
        if examples:
            value["examples"] = list(examples)
    return part
