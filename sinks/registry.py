"""Every destination's sink, by the type of its settings. A new one is a file, a line here and one in `To`."""

from collections.abc import Callable
from typing import Any

from sinks.destination import Destination
from sinks.elastic import ElasticSettings, ElasticSink
from sinks.encoding import FORMATS, Encoding
from sinks.file import FileSettings, FileSink
from sinks.http import Outbound
from sinks.sink import Sink
from sinks.splunk import SplunkSettings, SplunkSink
from sinks.syslog import SyslogSettings, SyslogSink
from sinks.webhook import WebhookSettings, WebhookSink

SINKS: dict[type, Callable[[Any, Encoding, Outbound], Sink]] = {
    ElasticSettings: ElasticSink,
    FileSettings: FileSink,
    SplunkSettings: SplunkSink,
    SyslogSettings: SyslogSink,
    WebhookSettings: WebhookSink,
}


def make_sink(destination: Destination, outbound: Outbound) -> Sink:
    """The sink of a destination.

    Raises:
        PraetorError: a secret is not there.
    """
    encoding = Encoding(FORMATS[destination.format], frozenset(destination.texts))
    return SINKS[type(destination.to)](destination.to, encoding, outbound)
