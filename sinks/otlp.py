"""OTLP logs over HTTP, in protobuf: to an OpenTelemetry collector, or whatever speaks OTLP.

Source: OpenTelemetry, "OTLP Specification" 1.x, §OTLP/HTTP, and the logs data model; the messages are
opentelemetry-proto's.
"""

import gzip
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sinks.encoding import Encoding
from sinks.extra import need
from sinks.formats.words import RANKS, time_of
from sinks.http import Http, Outbound
from sinks.secret import Secret
from sinks.sink import DELIVERED, Event, Outcome, Refused

WHAT = "a destination of type otlp"
PROTOBUF = {"content-type": "application/x-protobuf"}
SEVERITIES = ((9, "INFO"), (9, "INFO"), (10, "INFO2"), (13, "WARN"), (17, "ERROR"), (21, "FATAL"))
"""By our rank: SeverityNumber and its text."""
HEX = re.compile(r"[0-9a-f]+")


class OtlpSettings(BaseModel):
    """The address with its path (`http://collector:4318/v1/logs`), and headers, whose values are secrets."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: Literal["otlp"]
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    headers: dict[str, Secret] = Field(default_factory=dict)
    compress: bool = True
    service: Annotated[str, Field(min_length=1)] = "praetor"


class OtlpSink:
    """A log record an event: its body is the line of the chosen format, its id the attribute `praetor.id`."""

    def __init__(self, settings: OtlpSettings, encoding: Encoding, outbound: Outbound) -> None:
        """Take the settings, and how events are encoded.

        Raises:
            PraetorError: a secret is not there, or opentelemetry-proto is not installed.
        """
        self._service = need("opentelemetry.proto.collector.logs.v1.logs_service_pb2", WHAT)
        self._logs = need("opentelemetry.proto.logs.v1.logs_pb2", WHAT)
        self._common = need("opentelemetry.proto.common.v1.common_pb2", WHAT)
        self._broken = need("google.protobuf.message", WHAT).DecodeError
        self._settings = settings
        self._encoding = encoding
        headers = {name: secret.read(f"otlp's header {name}") for name, secret in settings.headers.items()}
        self._http = Http(outbound, headers)

    async def open(self) -> None:
        """Connections are made when something is sent."""

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Send a batch.

        Raises:
            Refused: the receiver rejects some of it. It does not say which: whoever sends finds out.
            Unavailable, PraetorError: as `sinks.http.judge_status` tells them apart.
        """
        body = self.request(events).SerializeToString()
        headers = PROTOBUF
        if self._settings.compress:
            body, headers = gzip.compress(body, 6), {**PROTOBUF, "content-encoding": "gzip"}
        answer = await self._http.post(self._settings.url, body, headers)
        said = self._service.ExportLogsServiceResponse()
        try:
            said.ParseFromString(answer.content)
        except self._broken as error:
            told = f"no answer of OTLP: {answer.content[:100]!r}"
            raise Refused(f"{told}: is {self._settings.url} right?") from error
        if rejected := said.partial_success.rejected_log_records:
            raise Refused(f"{rejected} of {len(events)} rejected: {said.partial_success.error_message}")
        return DELIVERED

    def request(self, events: Sequence[Event]) -> Any:
        """The events as one ExportLogsServiceRequest."""
        request = self._service.ExportLogsServiceRequest()
        resource = request.resource_logs.add()
        resource.resource.attributes.append(self._attribute("service.name", self._settings.service))
        scope = resource.scope_logs.add()
        scope.scope.name = "praetor"
        scope.log_records.extend(self._record(event) for event in events)
        return request

    def _record(self, event: Event) -> Any:
        number, text = SEVERITIES[RANKS.get(event.record.get("severity", "unknown"), 0)]
        at = max(0, time_of(event)) * 1_000_000
        record = self._logs.LogRecord(
            time_unix_nano=at,
            observed_time_unix_nano=at,
            severity_number=number,
            severity_text=text,
            event_name=f"praetor.{event.kind}",
            trace_id=_id(event.record.get("trace_id"), 32),
            span_id=_id(event.record.get("span_id"), 16),
        )
        record.body.string_value = self._encoding.line(event).decode("utf-8", "replace")
        named = {"praetor.id": event.id, "praetor.kind": event.kind}
        for name, field in NAMED:
            if event.record.get(field):
                named[name] = str(event.record[field])
        record.attributes.extend(self._attribute(*pair) for pair in named.items())
        return record

    def _attribute(self, key: str, value: str) -> Any:
        return self._common.KeyValue(key=key, value=self._common.AnyValue(string_value=value))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


NAMED = (
    ("praetor.tenant", "tenant"),
    ("gen_ai.agent.id", "agent_id"),
    ("gen_ai.conversation.id", "session_id"),
    ("praetor.effect", "effect"),
    ("praetor.severity", "severity"),
)
"""Attributes beside the body, and the fields that they come from."""


def _id(text: str | None, digits: int) -> bytes:
    """A trace's or span's id as bytes; none where it is not one."""
    found = (text or "").lower()
    return bytes.fromhex(found) if len(found) == digits and HEX.fullmatch(found) else b""
