"""forward per format: from a decision's bytes as they stand in Kafka to what a destination is sent."""

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from bench.measure import Plan, alternate, ratios, spread
from bench.report import Series
from consumers.delivery.choice import Choice
from consumers.delivery.events import event_of
from runtime.tls import Files, client_context
from schemas.catalogue import newest
from schemas.codec import encode
from schemas.topics import DECISIONS
from schemas.verdict import Severity
from sinks.encoding import FORMATS, OCSF, Encoding, Format
from sinks.http import Outbound
from sinks.otlp import OtlpSettings, OtlpSink
from sinks.outbound import Allowed
from sinks.parquet import Parquet
from sinks.sink import Event

ACTIONS = ("read:file", "exec:shell", "get:url", "query:database", "call:tool")
BATCH = 500
BASE = "decoded and chosen, not encoded"

Encode = Callable[[Sequence[Event]], int]


def run(plan: Plan) -> Series:
    """Each format in turn, on the same records."""
    events = 500 if plan.quick else 20_000
    records = [_consumed(number) for number in range(events)]
    systems = {name: _measured(records, encode) for name, encode in _encoders().items()}
    return _series(alternate(plan, systems), len(records[0].value))


def _consumed(number: int) -> Any:
    """A decision as it is consumed: one of five kinds of action, one in four denied."""
    denied = number % 4 == 0
    fields = {
        "event_id": str(UUID(int=number)),
        "tenant": "acme",
        "agent_id": f"agent-{number % 97}",
        "session_id": f"session-{number % 997}",
        "occurred_at": (1_790_000_000_000 + number) * 1000,
        "phase": "call",
        "mode": "enforce",
        "action": ACTIONS[number % len(ACTIONS)],
        "resource": f"/srv/projects/acme/src/module_{number}.py",
        "tool": "workspace",
        "model": "a-model-5",
        "input_tokens": 1200,
        "output_tokens": 80,
        "labels": {"team": "red", "environment": "production"},
        "arguments": '{"path": "/srv/projects/acme/src", "recursive": true}',
        "effect": "deny" if denied else "allow",
        "policy_mode": "enforce",
        "reasons": [{"policy": "base", "rule": "r1", "effect": "deny", "message": "not yours"}] * denied,
        "severity": "high" if denied else "informational",
        "tags": ["ASI02"] * denied,
        "bundle": "sha256:" + "0" * 64,
        "control_offset": 12,
        "engine": "1",
        "log_id": "0123456789abcdef",
        "partition": 0,
        "source_offset": number,
        "seq": number,
        "received_at": 1_790_000_000_000 + number,
        "schema": newest("decision").id,
        "salt": bytes(16),
        "leaf": bytes(32),
    }
    value = encode("decision", fields)
    return SimpleNamespace(topic=DECISIONS.name, partition=0, offset=number, key=b"acme/a", value=value)


def _encoders() -> dict[str, Encode]:
    formats = {**{name: made for name, made in FORMATS.items() if name != "ocsf"}}
    formats |= {f"ocsf {version}": made for version, made in OCSF.items()}
    found: dict[str, Encode] = {BASE: lambda events: 0}
    found |= {name: _lines(made) for name, made in sorted(formats.items())}
    return found | {"ocsf 1.8.0 as OTLP, protobuf": _otlp(), "ocsf 1.8.0 as Parquet, zstd": _parquet()}


def _lines(made: Format) -> Encode:
    encoding = Encoding(made)
    return lambda events: sum(len(encoding.line(event)) for event in events)


def _otlp() -> Encode:
    outbound = Outbound(Allowed(), client_context(Files("", None)))
    sink = OtlpSink(
        OtlpSettings(type="otlp", url="http://127.0.0.1:1/v1/logs"), Encoding(OCSF["1.8.0"]), outbound
    )
    return lambda events: len(sink.request(events).SerializeToString())


def _parquet() -> Encode:
    parquet, encoding = Parquet(), Encoding(OCSF["1.8.0"])

    def encode_all(events: Sequence[Event]) -> int:
        by_class: dict[int, list[dict[str, Any]]] = {}
        for document in map(encoding.document, events):
            by_class.setdefault(document["class_uid"], []).append(document)
        return sum(len(parquet.file(documents)) for documents in by_class.values())

    return encode_all


def _measured(records: Sequence[Any], encode_all: Encode) -> Callable[[int], tuple[float, float]]:
    choice = Choice(severity=Severity.informational)

    def run_once(number: int) -> tuple[float, float]:
        started, size = time.process_time(), 0
        for first in range(0, len(records), BATCH):
            events = [event_of(record) for record in records[first : first + BATCH]]
            size += encode_all([event for event in events if choice.wants(event)])
        return (time.process_time() - started) / len(records) * 1e6, size / len(records)

    return run_once


def _series(found: dict[str, list[tuple[float, float]]], size: int) -> Series:
    costs = {name: [cost for cost, _ in rounds] for name, rounds in found.items()}
    rates = {name: [1e6 / cost for cost in of] for name, of in costs.items()}
    return Series(
        "forward",
        f"forward: decisions of {size} bytes into each format, one core",
        ("format", "events/s", "µs of CPU an event", "÷ not encoded", "bytes an event"),
        raw={"µs": costs},
        rows=[
            (
                name,
                spread(rates[name]).text(0),
                spread(costs[name]).text(1),
                ratios(costs[name], costs[BASE]).text(),
                f"{rounds[0][1]:,.0f}",
            )
            for name, rounds in found.items()
        ],
        notes=[
            f"From the record's bytes to a batch's bytes, {BATCH} events a batch: all is decoded, chosen by"
            " the filter, made and serialised. Reading from Kafka, compressing and sending are not in it.",
            "Five kinds of action in turn, one in four denied; no free text leaves.",
        ],
    )
