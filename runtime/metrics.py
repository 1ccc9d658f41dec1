"""Every metric, with its help text. Process-wide; only edges count, never judgement."""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

DECISIONS = Counter("praetor_decisions", "Decisions committed to agent.decisions.", ["effect"])
DEAD_LETTERS = Counter(
    "praetor_dead_letters",
    "Records that did not decode, committed to agent.dead-letters: where they failed, and how.",
    ["stage", "error_class"],
)
DEAD_LETTER_BYTES = Counter(
    "praetor_dead_letter_bytes", "Bytes of what was committed to agent.dead-letters, before any compression."
)
THREATS = Counter("praetor_threats", "Findings committed to agent.threats.")
JUDGEMENT_ERRORS = Counter(
    "praetor_judgement_errors", "Rules and detectors that failed; each is in a decision."
)
TRANSACTION_SECONDS = Histogram(
    "praetor_transaction_seconds",
    "From a batch judged to its transaction committed.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
BATCH_ACTIONS = Histogram(
    "praetor_batch_actions", "Actions in a transaction.", buckets=(0, 1, 5, 20, 100, 500, 1000, 2000, 5000)
)
PARTITIONS_OWNED = Gauge("praetor_partitions_owned", "Partitions that this worker judges now.")
PARTITIONS_STOPPED = Gauge(
    "praetor_partition_stopped", "1 while a partition needs a person; the log says why.", ["partition"]
)
CONTROL_OFFSET = Gauge("praetor_control_offset", "Newest offset of agent.control that this worker knows.")
CONTROL_REJECTED = Gauge("praetor_control_rejected", "Records of agent.control that were not believed.")

ARCHIVED = Counter("praetor_archived", "Rows inserted into ClickHouse.", ["table"])
ARCHIVE_SECONDS = Histogram(
    "praetor_archive_seconds",
    "From records read to their rows in ClickHouse.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)


def serve_metrics(port: int) -> None:
    """Serve /metrics on this port of the loopback interface; 0 serves none."""
    if port:
        start_http_server(port, addr="127.0.0.1")
