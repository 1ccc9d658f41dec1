"""A run of events against a real receiver: taken, refused, delayed, set aside."""

import ssl
import time
from collections.abc import Iterator

import pytest

from consumers.delivery.sending import Sender
from sinks.encoding import FORMATS, Encoding
from sinks.http import Outbound
from sinks.outbound import Allowed
from sinks.sink import Event
from sinks.webhook import WebhookSettings, WebhookSink
from tests.delivery.making import QUICK, event
from tests.delivery.receiver import Answer, Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


class Sending:
    """A sender to a receiver, and what it keeps aside."""

    def __init__(self, url: str, most: int = 8) -> None:
        outbound = Outbound(Allowed(), ssl.create_default_context())
        sink = WebhookSink(WebhookSettings(type="webhook", url=url), Encoding(FORMATS["plain"]), outbound)
        self.aside: list[tuple[Event, str, int]] = []
        self.sender = Sender("test", sink, self._keep, most, QUICK)

    async def _keep(self, kept: Event, reason: str, tries: int) -> None:
        self.aside.append((kept, reason, tries))


def ids(events: list[dict[str, object]]) -> list[object]:
    return [e["id"] for e in events]


async def test_a_run_arrives_in_order_in_batches(receiver: Receiver) -> None:
    sending = Sending(receiver.url)
    sent = await sending.sender.send([event(n) for n in range(20)])
    assert ids(receiver.events()) == [f"log/0/{n}" for n in range(20)]
    assert len(receiver.posts) == 3
    assert (sent.delivered, sent.aside, sent.tries) == (20, 0, 3)
    await sending.sender.close()


async def test_free_text_and_the_salt_stay_here(receiver: Receiver) -> None:
    sending = Sending(receiver.url)
    await sending.sender.send([event(1)])
    assert receiver.events()[0]["arguments"] is None
    assert b"hunter2" not in receiver.posts[0].body
    assert receiver.events()[0]["salt"] is None
    await sending.sender.close()


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_is_not_taken_now_is_sent_again_with_the_same_ids(receiver: Receiver, status: int) -> None:
    receiver.tell(Answer(status), Answer(status))
    sending = Sending(receiver.url)
    sent = await sending.sender.send([event(n) for n in range(3)])
    assert sent.tries == 3
    assert ids(receiver.events()) == ["log/0/0", "log/0/1", "log/0/2"]
    assert len({post.headers["webhook-id"] for post in receiver.posts}) == 1
    assert sending.sender.check().ok
    await sending.sender.close()


async def test_a_wish_to_wait_is_kept(receiver: Receiver) -> None:
    receiver.tell(Answer(429, {"retry-after": "1"}))
    sending = Sending(receiver.url)
    await sending.sender.send([event(1)])
    first, second = receiver.posts
    assert second.at - first.at >= 1.0
    await sending.sender.close()


async def test_one_event_that_is_refused_is_found_and_kept_aside(receiver: Receiver) -> None:
    bad = {"log/0/5"}

    def judge(body: bytes) -> Answer:
        refused = any(name.encode() in body for name in (f'"{b}"' for b in bad))
        return Answer(422, body="cannot map field") if refused else Answer()

    receiver.judge = judge
    sending = Sending(receiver.url)
    sent = await sending.sender.send([event(n) for n in range(8)])
    assert ids(receiver.events()) == [f"log/0/{n}" for n in range(8) if n != 5]
    (kept, reason, tries) = sending.aside[0]
    assert (kept.id, tries) == ("log/0/5", QUICK.tries)
    assert "422" in reason
    assert "cannot map field" in reason
    assert (sent.delivered, sent.aside) == (7, 1)
    await sending.sender.close()


async def test_a_wrong_login_is_told_and_tried_again(receiver: Receiver) -> None:
    receiver.tell(Answer(401, body="bad token"))
    sending = Sending(receiver.url)
    began = time.monotonic()
    await sending.sender.send([event(1)])
    assert time.monotonic() - began >= QUICK.person
    assert ids(receiver.events()) == ["log/0/1"]
    await sending.sender.close()


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.tell(Answer(302, {"location": "http://127.0.0.1:1/elsewhere"}))
    sending = Sending(receiver.url)
    await sending.sender.send([event(1)])
    assert {post.path for post in receiver.posts} == {"/in"}
    await sending.sender.close()
