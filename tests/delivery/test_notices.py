"""What receivers are sent, read by their vendors' own models and clients."""

import json
import shlex
from email import message_from_string
from typing import Any

import pytest
from microsoft_teams.cards import AdaptiveCard, RichTextBlock, TextRun
from pagerduty import EventsApiV2Client
from slack_sdk.models.blocks import Block
from standardwebhooks.webhooks import Webhook

from runtime.errors import PraetorError
from sinks.formats import alertmanager, mail, pagerduty, slack, teams, template
from sinks.sink import Event
from tests.delivery.making import event
from tests.delivery.notifying import Hook, notification, receiver, sink
from tests.delivery.receiver import Answer, Receiver

ACTIONS = ("trigger", "update", "acknowledge", "resolve", "digest", "trial")
NASTY = (
    "<!channel> <https://evil.example|ok> **bold** [x](http://evil) & `rm` ```\r\nBcc: eve@evil\n\x00\x1b[31m"
)
LONG = "x" * 5_000


def odd() -> list[Event]:
    many = [f"agent-{n}" for n in range(20)]
    causes = [{"cause": f"d{n}" * 20, "title": LONG, "severity": "low", "count": n} for n in range(50)]
    return [
        notification(1),
        *(notification(2, action=action) for action in ACTIONS),
        notification(3, title=NASTY, text=NASTY, agents=[NASTY], runbook=NASTY, places=[NASTY], done=[NASTY]),
        notification(
            4, title=LONG, text=LONG, runbook=LONG, queries=[LONG], places=[LONG] * 5, done=[LONG] * 20
        ),
        notification(5, agents=many, causes=causes, tags=many, evidence=many[:10], more_agents=True),
        notification(
            6, text="", agents=[], tenants=[], causes=[], done=[], queries=[], runbook="", sessions=[]
        ),
    ]


@pytest.mark.parametrize("made", odd(), ids=lambda e: f"{e.id}-{e.record['action']}")
def test_slack_reads_its_blocks(made: Event) -> None:
    body = slack.message(made)
    assert len(body["blocks"]) <= 50
    for block in body["blocks"]:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
        assert set(block) <= parsed.attributes | {"type"}
    markup = json.dumps([b for b in body["blocks"] if (b.get("text") or {}).get("type") == "mrkdwn"])
    assert "<" not in markup
    assert "<" not in body["text"]


@pytest.mark.parametrize("made", odd(), ids=lambda e: f"{e.id}-{e.record['action']}")
def test_teams_reads_its_card(made: Event) -> None:
    body = teams.message(made)
    card = AdaptiveCard.model_validate(body["attachments"][0]["content"])
    assert not card.model_extra or set(card.model_extra) <= {"$schema"}
    assert card.body
    for block in body["attachments"][0]["content"]["body"]:
        assert block["type"] == "RichTextBlock"  # no Markdown is read there
        assert not RichTextBlock.model_validate(block).model_extra
        for run in block["inlines"]:
            assert run["type"] == "TextRun"
            assert not TextRun.model_validate(run).model_extra
    assert len(json.dumps(body)) <= 28 * 1024


@pytest.mark.parametrize("action", ACTIONS)
def test_pagerduty_gets_what_its_own_client_sends(action: str) -> None:
    made = notification(1, action=action)
    body = pagerduty.message(made, "k" * 32)
    with Receiver().running() as running:
        running.judge = lambda _: Answer(202, body='{"status": "success", "dedup_key": "inc-1"}')
        with EventsApiV2Client("k" * 32) as client:
            client._url = f"http://127.0.0.1:{running.port}"
            if body["event_action"] == "trigger":
                payload = body["payload"]
                client.trigger(payload["summary"], payload["source"], "inc-1", payload["severity"], payload)
            else:
                getattr(client, body["event_action"])("inc-1")
        theirs = json.loads(running.posts[0].body)
        assert running.posts[0].path == "/v2/enqueue"
    theirs.pop("routing_key", None)
    ours = {key: value for key, value in body.items() if key not in ("routing_key", "client")}
    assert ours == theirs


@pytest.mark.parametrize("made", odd(), ids=lambda e: f"{e.id}-{e.record['action']}")
def test_pagerduty_keeps_its_bounds(made: Event) -> None:
    body = pagerduty.message(made, "k")
    assert len(body["dedup_key"]) <= 255
    if body["event_action"] == "trigger":
        assert 0 < len(body["payload"]["summary"]) <= 1024
        assert body["payload"]["severity"] in ("critical", "error", "warning", "info")
        assert body["payload"]["source"]
    assert len(json.dumps(body)) <= 512_000


def test_alertmanager_knows_one_alert_by_its_labels_through_its_life() -> None:
    lives = [
        alertmanager.alerts(notification(1, action=a, severity=s), {"team": "sec"}, 24)
        for a, s in (("trigger", "high"), ("update", "critical"), ("resolve", "critical"))
    ]
    assert {json.dumps(alerts[0]["labels"], sort_keys=True) for alerts in lives} == {
        json.dumps(
            {"alertname": "praetor-incident", "group": "inc-1", "route": "trial", "team": "sec"},
            sort_keys=True,
        )
    }
    open_, _, resolved = (alerts[0] for alerts in lives)
    assert open_["startsAt"] < open_["endsAt"]
    assert resolved["endsAt"] < open_["endsAt"]


@pytest.mark.parametrize("made", odd(), ids=lambda e: f"{e.id}-{e.record['action']}")
def test_a_mail_has_one_subject_line_and_both_forms(made: Event) -> None:
    sent = mail.message(made, "praetor@acme.example", ["a@acme.example", "b@acme.example"])
    read = message_from_string(sent.as_string())
    assert read["To"] == "a@acme.example, b@acme.example"
    assert read.get_all("Bcc") is None
    assert [part.get_content_type() for part in read.walk()][1:] == ["text/plain", "text/html"]
    html = read.get_payload()[1].get_payload(decode=True).decode()  # type: ignore[union-attr,index]
    assert "<!channel>" not in html
    again = mail.message(made, "praetor@acme.example", ["a@acme.example"])
    assert again["Message-ID"] == sent["Message-ID"]


def test_a_template_cannot_be_left_by_a_text() -> None:
    shape = {"text": "$headline: $text", "count": "$count", "agents": "$agents", "fixed": [1, {"a": "$$5"}]}
    made = notification(1, text='", "admin": true, "x": "$title ${routing_key}')
    filled = json.loads(template.body(made, shape))
    assert set(filled) == set(shape)
    assert (filled["count"], filled["agents"], filled["fixed"]) == (12, ["a1", "a2"], [1, {"a": "$5"}])
    assert filled["text"].endswith(made.record["text"])


@pytest.mark.parametrize(
    ("shape", "words"), [({"a": "$nonsense"}, "nonsense"), ({"a": ["$ "]}, "write \\$\\$")]
)
def test_a_template_that_names_what_there_is_not_is_told_at_load(shape: dict[str, Any], words: str) -> None:
    with pytest.raises(PraetorError, match=words):
        receiver({"type": "webhook", "url": "http://127.0.0.1:9/", "template": shape})


async def test_a_webhook_is_signed_so_that_the_standards_own_library_believes_it(tmp_path: Any) -> None:
    (tmp_path / "key").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    remote = Hook()
    with remote.running():
        to = {**remote.settings(remote.port, tmp_path), "secret": {"file": str(tmp_path / "key")}}
        made = sink(to)
        await made.write([notification(1)])
        await made.close()
    post = remote.receiver.stored[0]
    Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify(post.body, post.headers)
    assert post.headers["webhook-id"] == "log/inc-1/1/one"


def test_other_events_are_told_to_no_receiver() -> None:
    with pytest.raises(ValueError, match="no notification"):
        slack.message(event(1))


def test_commands_to_go_on_with_are_whole_words_in_a_shell() -> None:
    for command in notification(1).record["queries"]:
        assert shlex.split(command)[0] == "praetor"
