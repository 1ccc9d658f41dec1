"""Fields that stand for several: tools call one thing by many names, and a rule should not have to know them.

A comparison of such a field is written out over the fields that it stands for as the rule is read: it is
true if it is true of one of them. `null` and `exists: false` ask that of all of them. What evaluates rules,
and the SQL of hunts, never sees them.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Wide(NamedTuple):
    """A field that stands for several.

    Attributes:
        fields: rows of the table of fields.
        doc: what it is.
    """

    fields: tuple[str, ...]
    doc: str


WIDE: Mapping[str, Wide] = {
    "command": Wide(
        ("resource", "args.command", "args.cmd", "args.script", "args.code"),
        "What a shell or an interpreter is to run.",
    ),
    "path": Wide(
        ("resource", "args.path", "args.file_path", "args.filename", "args.file", "args.target_file"),
        "The file that is meant.",
    ),
    "destination": Wide(
        (
            *("resource", "args.url", "args.uri", "args.endpoint", "args.webhook_url", "args.host"),
            *("args.to", "args.recipient", "args.recipients", "args.channel"),
        ),
        "Where something is fetched from or sent to: a URL, a host, an address, a channel.",
    ),
    "message": Wide(
        (
            *("args.message", "args.body", "args.text", "args.content", "args.subject", "args.title"),
            *(
                "args.description",
                "args.summary",
                "args.comment",
                "args.prompt",
                "args.task",
                "args.instructions",
            ),
        ),
        "Text that a person or another agent is to read.",
    ),
}


def fields_of(name: str) -> tuple[str, ...]:
    """The fields that a name in a rule stands for: itself, where it is no wide one."""
    wide = WIDE.get(name)
    return wide.fields if wide else (name,)
