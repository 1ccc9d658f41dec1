"""A notification as an Adaptive Card, as a workflow of Microsoft Teams takes it.

Source: Adaptive Cards 1.5 (adaptivecards.io); Microsoft Learn, "Create incoming webhooks with Workflows" and
"Cards reference": a message is at most 28 KB. TextBlock knows Markdown, so what agents may have written
stands in RichTextBlocks, whose runs are plain.
"""

from typing import Any

from sinks.formats.notice import cut, evidence, facts, headline, notice
from sinks.sink import Event

SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
CONTENT = "application/vnd.microsoft.card.adaptive"
TEXT, FACT, TITLE, LINES = 1500, 250, 300, 8
COLOURS = {"critical": "Attention", "high": "Attention", "medium": "Warning", "resolve": "Good"}


def message(event: Event) -> dict[str, Any]:
    """The body of the workflow's request."""
    attachment = {"contentType": CONTENT, "contentUrl": None, "content": card(event)}
    return {"type": "message", "attachments": [attachment]}


def card(event: Event) -> dict[str, Any]:
    """The card."""
    record = notice(event)
    colour = COLOURS.get(record["action"]) or COLOURS.get(record["severity"], "Default")
    title = _run(cut(headline(record), TITLE), size="Large", weight="Bolder", color=colour)
    body = [_runs([title]), _runs([_run(cut(record["text"] or " ", TEXT))])]
    body += [
        _runs([_run(f"{fact.name}: ", weight="Bolder"), _run(cut(fact.value, FACT))])
        for fact in facts(record)
    ]
    body += _part("Evidence", evidence(record))
    body += _part("Done", record["done"])
    body += _part("Runbook", [record["runbook"]] if record["runbook"] else [])
    body += _part("Go on with", record["queries"], fontType="Monospace")
    body.append(_runs([_run(f"{event.id} · {record['reason']}", size="Small", isSubtle=True)]))
    return {"$schema": SCHEMA, "type": "AdaptiveCard", "version": "1.5", "body": body}


def _part(name: str, lines: list[str], **look: Any) -> list[dict[str, Any]]:
    if not lines:
        return []
    runs = [_run(cut(line, FACT), **look) for line in lines[:LINES]]
    return [_runs([_run(f"{name}: ", weight="Bolder")]), *(_runs([run]) for run in runs)]


def _runs(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **look}
