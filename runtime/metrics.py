"""Every metric, with its help text. Process-wide; only edges count, never judgement."""

import threading

from prometheus_client import Counter, Gauge, Histogram

DECISIONS = Counter("praetor_decisions", "Decisions committed to agent.decisions.", ["effect"])
DEAD_LETTERS = Counter(
    "praetor_dead_letters",
    "Records that did not decode, committed to agent.dead-letters: where they failed, and how.",
    ["stage", "error_class"],
)
DEAD_LETTER_BYTES = Counter(
    "praetor_dead_letter_bytes", "Bytes of what was committed to agent.dead-letters, before any compression."
)
THREATS = Counter(
    "praetor_threats",
    "Findings committed to agent.threats, by detector; muted ones are seen by no rule.",
    ["detector", "muted"],
)
SNAPSHOTS = Counter("praetor_snapshots", "Agents' memories committed to agent.snapshots.")
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
WORKER_REPORTS_FAILED = Counter(
    "praetor_worker_reports_failed",
    "Times that agent.workers could not be told what this worker has applied; judging goes on.",
)
CLOCK_AHEAD = Gauge(
    "praetor_clock_ahead_seconds",
    "How far the machine's clock is at least ahead of the broker's, as govern sees it; negative: behind.",
)
BUNDLES_REFUSED = Gauge(
    "praetor_bundles_refused",
    "Orders about bundles on agent.control that this worker refused, by reason; the bundle before stays.",
    ["reason"],
)

ARCHIVED = Counter("praetor_archived", "Rows inserted into ClickHouse.", ["table"])
ARCHIVE_SECONDS = Histogram(
    "praetor_archive_seconds",
    "From records read to their rows in ClickHouse.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)

LAG = Gauge(
    "praetor_lag_records",
    "Records on the broker that this worker has not judged (govern) or archived (archive), in the partitions "
    "it owns. An upper bound: transaction markers count.",
    ["partition"],
)
OLDEST_AGE = Gauge(
    "praetor_oldest_age_seconds",
    "Age, by the broker's append time, of the oldest action that is not judged (govern) or decision that is "
    "not in ClickHouse (archive); 0 where none waits.",
    ["partition"],
)
CHECKPOINT_AGE = Gauge(
    "praetor_checkpoint_age_seconds",
    "How long a partition's ledger has held leaves that no published checkpoint covers; 0 where none.",
    ["partition"],
)
SIGNING_FAILURES = Counter(
    "praetor_signing_failures",
    "Checkpoints that the signing command did not sign; they are tried again, judging goes on.",
)
BUFFER_BYTES = Gauge(
    "praetor_buffer_bytes", "Bytes that the archive has read and not yet inserted.", ["partition"]
)
PARTITIONS_SATURATED = Gauge(
    "praetor_partitions_saturated",
    "Partitions whose fetching waits: the batch in work (govern) or the buffer (archive) is full.",
)
PARTITIONS_READY = Gauge("praetor_partitions_ready", "Partitions taken over, of those owned.")

TRANSACTIONS_ABANDONED = Counter(
    "praetor_transactions_abandoned",
    "Transactions left to the next owner's init, which aborts them or finds them committed.",
)
FENCED = Counter("praetor_fenced", "Times that a partition was lost to another owner while it was worked on.")
REJOINS = Counter("praetor_rejoins", "Times that this worker left its group and joined it anew.")
RETAKEN = Counter(
    "praetor_partitions_retaken",
    "Times that a partition was taken over again after Kafka or ClickHouse failed.",
)

BROKER_AGE = Gauge("praetor_broker_age_seconds", "Seconds since the broker last answered this worker.")
CONTROL_AGE = Gauge(
    "praetor_control_age_seconds",
    "Age of this worker's view of agent.control; from 5 s on it judges nothing.",
)
CLICKHOUSE_AWAY = Gauge(
    "praetor_clickhouse_away_seconds",
    "How long ClickHouse has not taken what the archive tries; 0 while it does.",
)
CLICKHOUSE_RETRIES = Counter(
    "praetor_clickhouse_retries", "Calls to ClickHouse that are repeated since it was away."
)

LOOP_AGE = Gauge(
    "praetor_loop_age_seconds", "Seconds since the event loop's last beat; it beats once a second."
)
TASKS = Gauge("praetor_asyncio_tasks", "Coroutines that run in this process.")
THREADS = Gauge("praetor_threads", "Threads of this process, as Python knows them.")
THREADS.set_function(threading.active_count)

DELIVERED = Counter(
    "praetor_delivered",
    "Events that a destination has taken; one that it was sent twice counts twice.",
    ["destination"],
)
DELIVERY_FILTERED = Counter(
    "praetor_delivery_filtered", "Events that a destination's filter left out.", ["destination"]
)
DELIVERY_ASIDE = Counter(
    "praetor_delivery_kept_aside",
    "Events that a destination refused for good: they stand in agent.undelivered with its answer.",
    ["destination"],
)
DELIVERY_RETRIES = Counter(
    "praetor_delivery_retries", "Times that something is sent to a destination again.", ["destination"]
)
DELIVERY_FAILING = Gauge(
    "praetor_delivery_failing", "1 while a destination does not take events.", ["destination"]
)
DELIVERY_BREAKER = Gauge(
    "praetor_delivery_breaker",
    "The circuit breaker of a destination: 0 closed (everything is sent), 1 half-open (one event tries), "
    "2 open (nothing is sent until its pause is over).",
    ["destination"],
)
DELIVERY_LAG = Gauge(
    "praetor_delivery_lag_records",
    "Records on the broker that a destination has not had, its filter's among them, in the partitions that "
    "this process holds. An upper bound: transaction markers count.",
    ["destination"],
)
DELIVERY_OLDEST_AGE = Gauge(
    "praetor_delivery_oldest_age_seconds",
    "Age, by the broker's append time, of the oldest record that a destination has not had, in the "
    "partitions that this process holds; 0 where none waits.",
    ["destination"],
)
DELIVERY_LOST = Gauge(
    "praetor_delivery_lost_records",
    "Records that retention removed before a destination had them, in the partitions that this process "
    "holds: it stands still until `praetor deliveries skip` lets it go on. 0: nothing is lost; else an upper "
    "bound, as transaction markers count.",
    ["destination"],
)

ALERT_SIGNALS = Counter(
    "praetor_alert_signals", "Threats and records of incidents read for alerting.", ["kind"]
)
ALERT_PLACED = Counter(
    "praetor_alert_placed",
    "What became of them: placed in a group, unrouted, muted by a silence; and groups held back.",
    ["outcome"],
)
ALERT_GROUPS = Gauge("praetor_alert_groups", "Groups of alerts that are open.")
NOTIFICATIONS = Counter(
    "praetor_notifications", "Notifications committed to agent.notifications.", ["receiver", "action"]
)
STORE_AWAY = Gauge(
    "praetor_store_away_seconds",
    "How long alerting has not heard from the store; silences known before go on counting.",
)

CORRELATED = Counter("praetor_correlated", "Folds counted by correlate, one for each group they belong to.")
INCIDENT_CHANGES = Counter(
    "praetor_incident_changes", "Records committed to agent.incidents, by what they say.", ["change"]
)
CORRELATE_MALFORMED = Counter(
    "praetor_correlate_malformed",
    "Records that correlate could not read and passed over; the log names each.",
)
CORRELATE_GAPS = Counter(
    "praetor_correlate_gaps", "Times that records were left out on the way to correlate, and were read again."
)
CORRELATE_RESTARTS = Counter("praetor_correlate_restarts", "Times that correlate began anew after a failure.")
RESPONSES = Counter(
    "praetor_responses",
    "Responses to incidents: orders given, or left out by a guard rail.",
    ["kind", "outcome"],
)
BUDGETS_TOLD = Counter(
    "praetor_budgets_told", "Orders that tell workers what several agents spent together of a limit."
)
