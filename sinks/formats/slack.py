"""A notification in Slack's Block Kit.

Source: Slack's "Block Kit" reference: header ≤ 150 characters, section text ≤ 3000, fields ≤ 10 of ≤ 2000
characters, ≤ 50 blocks. What agents may have written is `plain_text`, or escaped: it can mention nobody and
link nowhere.
"""

from typing import Any

from sinks.formats.notice import Fact, cut, evidence, facts, headline, notice
from sinks.sink import Event

HEADER, TEXT, FIELD, FIELDS = 150, 2900, 1900, 10
Block = dict[str, Any]


def message(event: Event) -> dict[str, Any]:
    """The body of an incoming webhook's request."""
    record = notice(event)
    blocks = [_header(headline(record)), _plain(record["text"])]
    if found := facts(record):
        blocks.append({"type": "section", "fields": [_field(fact) for fact in found[:FIELDS]]})
    blocks += _part("Evidence", "\n".join(evidence(record)))
    blocks += _part("Done", "\n".join(record["done"]))
    blocks += _part("Runbook", record["runbook"])
    blocks += _part("Go on with", "\n".join(record["queries"]), code=True)
    blocks.append({"type": "context", "elements": [_words(f"{event.id} · {record['reason']}", TEXT)]})
    return {"text": escaped(cut(headline(record), TEXT)), "blocks": blocks}


def escaped(text: str) -> str:
    """Text in which nothing is markup (docs.slack.dev, "Formatting message text": &, < and >)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header(text: str) -> Block:
    return {"type": "header", "text": _words(text, HEADER)}


def _plain(text: str) -> Block:
    return {"type": "section", "text": _words(text or " ", TEXT)}


def _words(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": cut(text, most), "emoji": False}


def _field(fact: Fact) -> Block:
    return _words(f"{fact.name}: {fact.value}", FIELD)


def _part(name: str, text: str, *, code: bool = False) -> list[Block]:
    """A named part, where there is something to say. A fence of code ends at no text's backticks."""
    if not text:
        return []
    if not code:
        return [_plain(f"{name}: {text}")]
    inner = cut(escaped(text).replace("`", "'"), TEXT - 100)
    words = f"*{name}*\n```{inner}```"
    return [{"type": "section", "text": {"type": "mrkdwn", "text": words, "verbatim": True}}]
