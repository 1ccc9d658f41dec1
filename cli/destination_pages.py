"""The pages on destinations that are written from the code: settings, verification, fields by format."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cli.destination_mapping import KINDS, mapping
from schemas.catalogue import newest
from sinks.destination import DestinationDocument, FeedSettings, LimitSettings
from sinks.registry import SINKS
from sinks.secret import Secret

GENERATED = "<!-- written by `make docs`; change the code instead -->\n\n"
OWN_WORDS = {
    "metadata": "`name` (part of its consumer group's), `description`",
    "to": "`type`, and what that type takes: below",
    "headers": "text: a secret each",
}
TITLES = {
    "ocsf": ("OCSF 1.8.0", ""),
    "ocsf-1.9": ("OCSF 1.9.0", "1.9.0"),
    "ecs": ("ECS", ""),
    "cef": ("CEF", ""),
    "leef": ("LEEF 2.0", ""),
}


def destination_pages() -> Mapping[str, Callable[[], str]]:
    """Every page by its path in docs/."""
    fields = {f"destinations/fields-{name}.md": partial(fields_page, name) for name in TITLES}
    return {"destinations/reference.md": reference_page, **fields}


def reference_page() -> str:
    """All settings, and how each type was verified."""
    rows = [
        f"| [`{name}`](#{name}) | {row.speaks} | {row.repetition} | **{row.verified}**: {row.by} |\n"
        for name, row in SINKS.items()
    ]
    return (
        "# Destinations: settings, and how each type was verified\n\n"
        f"{GENERATED}"
        "| type | what it speaks | how a repetition is recognised | verified by |\n|---|---|---|---|\n"
        + "".join(rows)
        + "\n*real*: the thing itself ran in our tests. *schema*: what its vendor or standard publishes for"
        " machines checked what we send. *contract*: its documentation only; not tried on the product.\n"
        "\n## The document\n\n"
        + _table(DestinationDocument, {"feed": FeedSettings, "limits": LimitSettings})
        + "\n`{file: PATH}` or `{env: VARIABLE}` stands for each secret.\n"
        + "".join(_section(name) for name in SINKS)
    )


def _section(name: str) -> str:
    settings = SINKS[name].settings
    doc = " ".join((settings.__doc__ or "").split())
    return f"\n## {name}\n\n{doc}\n\n{_table(settings, {})}"


def _table(model: type[BaseModel], nested: Mapping[str, type[BaseModel]], prefix: str = "") -> str:
    head = "" if prefix else "| setting | default | values |\n|---|---|---|\n"
    rows = []
    for name, field in model.model_fields.items():
        if name in OWN_WORDS:
            rows.append(f"| `{name}` | {_default(field)} | {OWN_WORDS[name]} |\n")
        elif name in nested:
            rows.append(_table(nested[name], {}, f"{name}."))
        else:
            rows.append(f"| `{prefix}{name}` | {_default(field)} | {_values(field)} |\n")
    return head + "".join(rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*needed*"
    value = field.get_default(call_default_factory=True, validated_data={})
    return f"`{value}`" if value not in (None, "", [], {}) else ""


def _values(field: FieldInfo) -> str:
    """What may stand there: the choices, else the plain type; a pattern where there is one."""
    pattern = next((str(m.pattern) for m in field.metadata if getattr(m, "pattern", None)), "")
    told = _type(field.annotation)
    return told + (f", `{pattern.replace('|', chr(92) + '|')}`" if pattern else "")


def _type(annotation: Any) -> str:
    if annotation is Secret:
        return "a secret"
    if isinstance(annotation, type) and not get_args(annotation):
        return {"str": "text", "int": "number", "float": "number", "bool": "true, false"}.get(
            annotation.__name__, annotation.__name__
        )
    found = [a for a in get_args(annotation) if a is not type(None)]
    parts = [f"`{a}`" if isinstance(a, str) else _type(a) for a in found]
    joined = ", ".join(dict.fromkeys(part for part in parts if part))
    return f"list: {joined}" if getattr(annotation, "__origin__", None) is list else joined


def fields_page(name: str) -> str:
    """Where each field goes in one format."""
    title, version = TITLES[name]
    found = mapping(name.partition("-")[0], version)
    sections = []
    for kind in KINDS:
        docs = {field["name"]: field["doc"] for field in newest(kind).definition["fields"]}
        rows = [
            f"| `{name}` | {_places(found[kind].get(name, []))} | {doc} |\n" for name, doc in docs.items()
        ]
        sections.append(f"\n## {kind}\n\n| field | in {title} | |\n|---|---|---|\n" + "".join(rows))
    return (
        f"# Fields in {title}\n\n{GENERATED}"
        "Found by changing each field and looking what changes in the event. Free texts (`arguments`,"
        " `content`, `modified_arguments`) leave only where a destination's `texts` names them; `salt` never"
        " does.\n" + "".join(sections)
    )


def _places(found: list[str]) -> str:
    return ", ".join(f"`{place}`" for place in found) or "*not sent*"
