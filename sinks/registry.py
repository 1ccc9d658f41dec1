"""Every destination, by the `type` in its settings. A new one is a file, and a row here."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from sinks.datadog import DatadogSettings, DatadogSink
from sinks.destination import Destination
from sinks.elastic import ElasticSettings, ElasticSink
from sinks.encoding import FORMATS, OCSF, Encoding
from sinks.file import FileSettings, FileSink
from sinks.http import Outbound
from sinks.kafka import KafkaSettings, KafkaSink
from sinks.otlp import OtlpSettings, OtlpSink
from sinks.s3 import S3Settings, S3Sink
from sinks.secops import SecopsSettings, SecopsSink
from sinks.sentinel import SentinelSettings, SentinelSink
from sinks.sink import Sink
from sinks.splunk import SplunkSettings, SplunkSink
from sinks.syslog import SyslogSettings, SyslogSink
from sinks.webhook import WebhookSettings, WebhookSink


class Row(NamedTuple):
    """A type: what its `to` must look like, what delivers there, and what people may know of it.

    Attributes:
        settings: the model of its `to`.
        sink: makes what delivers.
        speaks: what it is, in words.
        repetition: how one is recognised there.
        verified: `real`: the thing itself ran in our tests; `schema`: what its vendor or standard publishes
            for machines checked it; `contract`: its documentation only.
        by: what it was tried on.
    """

    settings: type[BaseModel]
    sink: Callable[[Any, Encoding, Outbound], Sink]
    speaks: str
    repetition: str
    verified: Literal["real", "schema", "contract"]
    by: str


SINKS: dict[str, Row] = {
    "datadog": Row(
        DatadogSettings,
        DatadogSink,
        "Datadog's logs, by HTTP",
        "the attribute `praetor_id`; Datadog stores a repetition again",
        "contract",
        "a receiver that keeps to Datadog's API reference",
    ),
    "elastic": Row(
        ElasticSettings,
        ElasticSink,
        "`_bulk` of Elasticsearch and OpenSearch",
        "the document's id: a repetition changes nothing",
        "real",
        "OpenSearch 3.9.0 (`make interop`); Elasticsearch by the documentation of `_bulk`",
    ),
    "file": Row(
        FileSettings,
        FileSink,
        "lines, with rotation; on disk before they count",
        "the id in the line",
        "real",
        "the file itself; `praetor reconcile` counts its ids",
    ),
    "kafka": Row(
        KafkaSettings,
        KafkaSink,
        "a topic of another Kafka, under the record's own key",
        "the header `praetor-id`",
        "real",
        "Kafka 4.3.1",
    ),
    "otlp": Row(
        OtlpSettings,
        OtlpSink,
        "OpenTelemetry logs: OTLP over HTTP, protobuf",
        "the attribute `praetor.id`",
        "schema",
        "opentelemetry-proto, which parses every request",
    ),
    "s3": Row(
        S3Settings,
        S3Sink,
        "object storage: Parquet in Security Lake's layout, or lines",
        "the same batch replaces its object; else the id in the row",
        "real",
        "moto's S3 server, read by AWS's own client and by pyarrow; not on AWS",
    ),
    "secops": Row(
        SecopsSettings,
        SecopsSink,
        "Google SecOps (Chronicle), ImportLogs",
        "a request of the same content is dropped; else the id in the line",
        "contract",
        "a receiver that keeps to Google's documentation, and checks the assertion's signature",
    ),
    "sentinel": Row(
        SentinelSettings,
        SentinelSink,
        "Microsoft Sentinel, Logs Ingestion API",
        "the column `EventId`; Sentinel stores a repetition again",
        "contract",
        "a receiver that keeps to Microsoft's documentation",
    ),
    "splunk_hec": Row(
        SplunkSettings,
        SplunkSink,
        "Splunk's HTTP Event Collector, with acknowledgement",
        "the indexed field `praetor_id`; Splunk stores a repetition again",
        "contract",
        "a receiver that keeps to Splunk's documentation",
    ),
    "syslog": Row(
        SyslogSettings,
        SyslogSink,
        "syslog: RFC 5424 over TCP and TLS, octets counted",
        "the id in the structured data",
        "schema",
        "a receiver of RFC 5425 of ours, and jc's parser of RFC 5424",
    ),
    "webhook": Row(
        WebhookSettings,
        WebhookSink,
        "JSON by POST, signed as Standard Webhooks 1.0 says",
        "`webhook-id`, the same for the same events",
        "contract",
        "a receiver that keeps to the standard",
    ),
}


def make_sink(destination: Destination, outbound: Outbound) -> Sink:
    """The sink of a destination.

    Raises:
        PraetorError: a secret or a library is not there, or settings do not go together.
    """
    document = destination.document
    chosen = OCSF[document.ocsf_version] if document.format == "ocsf" else FORMATS[document.format]
    encoding = Encoding(chosen, frozenset(document.texts), document.format)
    return SINKS[document.to["type"]].sink(destination.to, encoding, outbound)
