"""The reference of the policy language, docs/policies/reference.md: from the schema, by `make docs`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from detections.registry import DETECTORS
from judgement.loading import BESIDE
from policies.cel import FUNCTIONS, VARIABLES
from policies.linting.finding import CODES
from policies.schema import document_schema

SECTIONS = {
    "Policy": "A policy",
    "Metadata": "metadata",
    "Rule": "rules",
    "Match": "match",
    "ListRef": "list entries",
    "Fields": "match.fields",
    "Comparisons": "Comparisons",
    "Limit": "limit",
    "Edit": "modify",
    "Case": "cases",
    "CaseAction": "cases.action",
    "CaseState": "cases.agent, cases.session",
    "Lists": "Lists",
    "Conditions": "Conditions",
    "Detections": "Detections",
    "DetectionSettings": "detections",
    **{f"{d.__name__}Block": d.name for d in DETECTORS},
    "Tuning": "Any other detection",
    "ExceptionsDocument": "Exceptions",
    "RuleException": "exceptions",
}
"""The schema's parts in the order in which they are read; a test wants them all."""

FUNCTION_WORDS = {
    "path_inside": "whether a path lies within a pattern, however it is read: what allow asks",
    "path_touches": "whether a path might lie within a pattern: what restricting rules ask",
    "host_inside": "whether a resource's host is within a pattern, however it is read",
    "host_touches": "whether a resource's host might be within a pattern",
}


def reference_page() -> str:
    """Every key of every document, as docs/policies/reference.md."""
    schema = document_schema(BESIDE)
    head = (
        "# Reference of the policy language\n\n"
        "<!-- written by `make docs`; change the code instead -->\n\n"
        "Every key of every document of `praetor/v1`. Editors complete from the same source: put\n"
        "`# yaml-language-server: $schema=policy.schema.json` on a file's first line, with the path to\n"
        "[policy.schema.json](policy.schema.json) (`praetor policy schema` prints it). "
        "How policies are written: [the guide](guide.md); the tools: [tools](tools.md).\n"
    )
    parts = [_section(title, schema["$defs"][name]) for name, title in SECTIONS.items()]
    return head + "".join(parts) + "".join(f"{line}\n" for line in (*_conditions(), *_lints()))


def _section(title: str, part: Mapping[str, Any]) -> str:
    required = part.get("required", ())
    rows = [_row(key, value, key in required) for key, value in part.get("properties", {}).items()]
    table = "| key | | |\n|---|---|---|\n" + "".join(rows)
    return f"\n## {title}\n\n{part['description']}\n\n{table}"


def _row(key: str, value: Mapping[str, Any], required: bool) -> str:
    told = [_kind(value)]
    if required:
        told.append("required")
    default = value.get("default")
    if default not in (None, "", {}, []) and not isinstance(default, dict):
        told.append(f"default `{_json(default)}`")
    text = value["description"].replace("<", "&lt;")
    examples = value.get("examples", ())
    if examples:
        text += " Such as " + ", ".join(f"`{_json(e)}`" for e in examples) + "."
    return f"| `{key}` | {', '.join(told)} | {text} |\n"


def _kind(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        title = SECTIONS.get(name)
        return f"[{title}](#{_anchor(title)})" if title else "any value"
    if "enum" in value or "const" in value:
        return " \\| ".join(f"`{choice}`" for choice in value.get("enum", [value.get("const")]))
    if "oneOf" in value:
        return " or ".join(dict.fromkeys(_kind(choice) for choice in value["oneOf"]))
    kind = value.get("type")
    if kind == "array":
        return f"list of {_kind(value['items'])}"
    if kind == "object":
        held: Mapping[str, Any] = value.get("additionalProperties") or next(
            iter(value.get("patternProperties", {}).values()), {}
        )
        return f"{_kind(held)} by name"
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return names.get(str(kind), "any value")


def _anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace("|", "\\|")


def _conditions() -> Iterator[str]:
    """What conditions may use."""
    yield ""
    yield "## Conditions in CEL"
    yield ""
    yield "`when` is [CEL](https://github.com/google/cel-spec), type-checked as it is read. It may use:"
    yield ""
    yield "| name | type |"
    yield "|---|---|"
    for name, of in VARIABLES.items():
        yield f"| `{name}` | {of.name().lower()} |"
    yield "| `lists.<name>` | list |"
    yield "| `conditions.<name>` | the condition of that name, written out |"
    yield ""
    yield 'An absent text is `""`, an absent number 0; an argument is there if `has(args.x)`.'
    yield "Besides CEL's own functions:"
    yield ""
    yield "| function | |"
    yield "|---|---|"
    for name in FUNCTIONS:
        yield f"| `{name}(text, pattern)` | {FUNCTION_WORDS[name]} |"


def _lints() -> Iterator[str]:
    """What lint finds."""
    yield ""
    yield "## What lint finds"
    yield ""
    yield "Beside mistakes, which refuse a file (`PL001` where a format wants a code)."
    yield ""
    yield "| code | | |"
    yield "|---|---|---|"
    for code in CODES.values():
        yield f"| `{code.id}` {code.name} | {code.level.value} | {code.text} |"
