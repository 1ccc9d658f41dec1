"""A notification as a mail: text, and the same as HTML; the mails of a group are one thread."""

import hashlib
import html
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from sinks.formats.notice import cut, evidence, facts, headline, notice
from sinks.sink import Event

SUBJECT = 200
DOMAIN = "praetor.invalid"
"""Of Message-IDs: a name that no host has (RFC 2606), since they are made of ids, not by a host."""


def message(event: Event, sender: str, to: list[str]) -> EmailMessage:
    """The mail. Its Message-ID is the same each time, so that most mailboxes keep one of two."""
    record = notice(event)
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Subject"] = cut(headline(record), SUBJECT)
    mail["Date"] = formatdate(record["at"] / 1000)
    mail["Message-ID"] = _message_id(event.id)
    first = _message_id(f"{record['log_id']}/{record['group_id']}")
    mail["References"] = first
    mail["In-Reply-To"] = first
    mail["X-Praetor-Id"] = event.id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
    parts = _parts(record, event.id)
    mail.set_content(_plain(parts))
    mail.add_alternative(_html(parts), subtype="html")
    return mail


def text(event: Event) -> str:
    """The mail's text alone."""
    return _plain(_parts(notice(event), event.id))


def _plain(parts: list[tuple[str, str]]) -> str:
    return "\n\n".join(f"{name}\n{words}" if name else words for name, words in parts) + "\n"


def _message_id(name: str) -> str:
    return f"<{hashlib.sha256(name.encode()).hexdigest()[:32]}@{DOMAIN}>"


def _parts(record: dict[str, Any], name: str) -> list[tuple[str, str]]:
    known = "\n".join(f"{fact.name}: {fact.value}" for fact in facts(record))
    found = [
        ("", headline(record)),
        ("What happened", record["text"]),
        ("What is known", known),
        ("Evidence", "\n".join(evidence(record))),
        ("Done", "\n".join(record["done"])),
        ("Runbook", record["runbook"]),
        ("Go on with", "\n".join(record["queries"])),
        ("", f"{name} ({record['reason']})"),
    ]
    return [(title, text) for title, text in found if text]


def _html(parts: list[tuple[str, str]]) -> str:
    told = [
        (f"<h3>{html.escape(name)}</h3>" if name else "") + f"<pre>{html.escape(text)}</pre>"
        for name, text in parts
    ]
    return "<html><body>" + "\n".join(told) + "</body></html>\n"
