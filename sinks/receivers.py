"""Every receiver of alerts, by the `type` in its settings. A new one is a file, and a row here."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel

from sinks.alert_webhook import AlertWebhookSettings, AlertWebhookSink
from sinks.alertmanager import AlertmanagerSettings, AlertmanagerSink
from sinks.by_apprise import AppriseSettings, AppriseSink
from sinks.http import Outbound
from sinks.mail import MailSettings, MailSink
from sinks.pagerduty import PagerDutySettings, PagerDutySink
from sinks.receiver import Receiver
from sinks.sink import Sink
from sinks.slack import SlackSettings, SlackSink
from sinks.teams import TeamsSettings, TeamsSink


class Row(NamedTuple):
    """What a type's `to` must look like, and what tells it."""

    settings: type[BaseModel]
    sink: Callable[[Any, Outbound], Sink]


RECEIVERS: dict[str, Row] = {
    "alertmanager": Row(AlertmanagerSettings, AlertmanagerSink),
    "apprise": Row(AppriseSettings, AppriseSink),
    "email": Row(MailSettings, MailSink),
    "pagerduty": Row(PagerDutySettings, PagerDutySink),
    "slack": Row(SlackSettings, SlackSink),
    "teams": Row(TeamsSettings, TeamsSink),
    "webhook": Row(AlertWebhookSettings, AlertWebhookSink),
}


def receiver_sink(receiver: Receiver, outbound: Outbound) -> Sink:
    """The sink of a receiver.

    Raises:
        PraetorError: a secret is not there.
    """
    return RECEIVERS[receiver.document.to["type"]].sink(receiver.to, outbound)
