"""Every destination, by the `type` in its settings. A new one is a file, and a row here."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import BaseModel

from sinks.destination import Destination
from sinks.elastic import ElasticSettings, ElasticSink
from sinks.encoding import FORMATS, Encoding
from sinks.file import FileSettings, FileSink
from sinks.http import Outbound
from sinks.sink import Sink
from sinks.splunk import SplunkSettings, SplunkSink
from sinks.syslog import SyslogSettings, SyslogSink
from sinks.webhook import WebhookSettings, WebhookSink


class Row(NamedTuple):
    """What a type's `to` must look like, and what delivers there."""

    settings: type[BaseModel]
    sink: Callable[[Any, Encoding, Outbound], Sink]


SINKS: dict[str, Row] = {
    "elastic": Row(ElasticSettings, ElasticSink),
    "file": Row(FileSettings, FileSink),
    "splunk_hec": Row(SplunkSettings, SplunkSink),
    "syslog": Row(SyslogSettings, SyslogSink),
    "webhook": Row(WebhookSettings, WebhookSink),
}


def make_sink(destination: Destination, outbound: Outbound) -> Sink:
    """The sink of a destination.

    Raises:
        PraetorError: a secret is not there.
    """
    document = destination.document
    encoding = Encoding(FORMATS[document.format], frozenset(document.texts))
    return SINKS[document.to["type"]].sink(destination.to, encoding, outbound)
