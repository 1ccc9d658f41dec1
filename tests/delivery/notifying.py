"""Receivers of alerts as tests meet them, and notifications to tell them of."""

import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from cli.alert.trial import trial_notification
from runtime.embedded.process import free_port
from sinks.http import Outbound
from sinks.outbound import Allowed
from sinks.receiver import Receiver
from sinks.receivers import receiver_sink
from sinks.sink import Event, Sink
from tests.alert.stage import alerting
from tests.delivery.receiver import Answer
from tests.delivery.remotes import Web
from tests.delivery.tls import trusting


def notification(number: int, **fields: Any) -> Event:
    """A notification of a number: an incident with all that it may hold."""
    made = trial_notification("one")
    record = {
        **made.record,
        "notification_id": f"log/inc-{number}/1/one",
        "group_id": f"inc-{number}",
        "action": "trigger",
        "kind": "incident",
        "reason": "opened",
        "severity": "critical",
        "title": f"Alice's agents leak keys {number}",
        "text": "2 agents of alice raised 2 threats within 0.9 s.",
        "tenants": ["acme"],
        "agents": ["a1", "a2"],
        "sessions": ["s1"],
        "count": 12,
        "fresh": 2,
        "causes": [{"cause": "secrets", "title": "A key went out", "severity": "high", "count": 12}],
        "places": ["content: AKIA…(redacted)"],
        "evidence": ["00000000-0000-0000-0000-000000000001"],
        "done": ["quarantine acme/a1: contain"],
        "runbook": "Rotate the key, then release the agent.",
        "queries": ["praetor incident show inc-1"],
        "tags": ["ASI03", "AML.T0024"],
        **fields,
    }
    return Event(
        "notification", str(record["notification_id"]), b"one", "agent.notifications", 0, number, record
    )


def receiver(to: dict[str, Any]) -> Receiver:
    return alerting({"name": "all", "receivers": ["one"]}, receivers={"one": to}).receivers["one"]


def sink(to: dict[str, Any], allowed: Sequence[str] = ()) -> Sink:
    return receiver_sink(receiver(to), Outbound(Allowed(allowed), trusting()))


class Hook(Web):
    """A webhook that is given the id by a template."""

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {
            "type": "webhook",
            "url": f"http://127.0.0.1:{port}/in",
            "template": {"id": "$id", "t": "x $title"},
        }

    def arrived(self) -> Sequence[str]:
        return [json.loads(post.body)["id"] for post in self.receiver.stored]


class Slack(Web):
    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "slack", "url": {"file": secret(folder, f"http://127.0.0.1:{port}/services/T/B/x")}}

    def judge(self, body: bytes) -> Answer:
        return Answer(body="ok")

    def arrived(self) -> Sequence[str]:
        bodies = [json.loads(post.body) for post in self.receiver.stored]
        return [body["blocks"][-1]["elements"][0]["text"].partition(" · ")[0] for body in bodies]


class Teams(Web):
    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "teams", "url": {"file": secret(folder, f"http://127.0.0.1:{port}/workflows/x")}}

    def judge(self, body: bytes) -> Answer:
        return Answer(202)

    def arrived(self) -> Sequence[str]:
        cards = [json.loads(post.body)["attachments"][0]["content"] for post in self.receiver.stored]
        return [card["body"][-1]["inlines"][0]["text"].partition(" · ")[0] for card in cards]


class PagerDuty(Web):
    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        key = secret(folder, "0" * 32)
        return {"type": "pagerduty", "routing_key": {"file": key}, "url": f"http://127.0.0.1:{port}"}

    def judge(self, body: bytes) -> Answer:
        key = json.loads(body)["dedup_key"]
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return Answer(202, body=json.dumps(answer))

    def arrived(self) -> Sequence[str]:
        bodies = [json.loads(post.body) for post in self.receiver.stored]
        return [body["payload"]["custom_details"]["id"] for body in bodies]


class Alertmanager(Web):
    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "alertmanager", "url": f"http://127.0.0.1:{port}"}

    def arrived(self) -> Sequence[str]:
        bodies = [json.loads(post.body) for post in self.receiver.stored]
        return [alert["annotations"]["praetor_id"] for body in bodies for alert in body]


class Apprise(Web):
    """Apprise's own JSON service."""

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {"type": "apprise", "url": {"file": secret(folder, f"json://127.0.0.1:{port}/in?rto=0.5")}}

    def arrived(self) -> Sequence[str]:
        bodies = [json.loads(post.body)["message"] for post in self.receiver.stored]
        return [body.strip().splitlines()[-1].partition(" (")[0] for body in bodies]


class Mail:
    """A real SMTP server: with STARTTLS, or with TLS from the first byte."""

    def __init__(self, context: ssl.SSLContext, security: str = "starttls") -> None:
        self.port = 0
        self.mails: list[bytes] = []
        self.answers: list[str] = []
        self._context = context
        self._security = security

    def settings(self, port: int, folder: Path) -> dict[str, Any]:
        return {
            "type": "email",
            "host": "127.0.0.1",
            "port": port,
            "security": self._security,
            "sender": "praetor@acme.example",
            "to": ["oncall@acme.example"],
        }

    def tell(self, *answers: str) -> None:
        """Answer a mail's data with these, then well."""
        self.answers = list(answers)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        self.mails.append(content if isinstance(content, bytes) else (content or "").encode())
        return "250 OK"

    @contextmanager
    def running(self) -> Iterator[None]:
        starttls = self._security == "starttls"
        more: dict[str, Any] = {"tls_context": self._context, "require_starttls": True} if starttls else {}
        wrapped = self._context if self._security == "tls" else None
        controller = Controller(self, "127.0.0.1", free_port(), ssl_context=wrapped, **more)
        controller.start()
        self.port = controller.port
        try:
            yield
        finally:
            controller.stop()

    def arrived(self) -> Sequence[str]:
        return [str(message_from_bytes(mail)["X-Praetor-Id"]) for mail in list(self.mails)]


def secret(folder: Path, text: str) -> str:
    path = folder / "secret"
    path.write_text(text + "\n")
    return str(path)
