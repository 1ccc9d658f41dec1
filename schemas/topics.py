"""Every topic, its settings, and what its partition is."""

from dataclasses import dataclass, field

DAY_MS = 86_400_000
MIB = 1 << 20

# Brokers limit batches, not records: what govern writes it batches up to 4 MiB.
BATCH = str(8 * MIB)

# Only the broker's clock counts: a worker whose clock is off neither shortens a record's life nor is refused.
BROKERS_CLOCK = {"message.timestamp.type": "LogAppendTime"}

COMPACTED = {
    **BROKERS_CLOCK,
    "cleanup.policy": "compact",
    "segment.bytes": str(64 * MIB),
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": "3600000",
}

FOR_EVER = {**BROKERS_CLOCK, "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}


def _kept(days: int) -> dict[str, str]:
    return {**BROKERS_CLOCK, "cleanup.policy": "delete", "retention.ms": str(days * DAY_MS)}


@dataclass(frozen=True)
class Topic:
    """A topic's name and settings.

    Attributes:
        name: the whole name, without a prefix.
        config: what is not the broker's default, in Kafka's names.
        single: one partition, whatever the log's partition count.
        output: written by govern and the archive, so that `--topic-prefix` applies.
    """

    name: str
    config: dict[str, str] = field(default_factory=dict)
    single: bool = False
    output: bool = True


ACTIONS = Topic("agent.actions", {**_kept(7), "max.message.bytes": str(MIB + 64 * 1024)}, output=False)
CONTROL = Topic("agent.control", {**FOR_EVER, "max.message.bytes": BATCH}, single=True, output=False)
DECISIONS = Topic("agent.decisions", {**_kept(30), "max.message.bytes": BATCH})
THREATS = Topic("agent.threats", {**_kept(30), "max.message.bytes": BATCH})
CHECKPOINTS = Topic("agent.checkpoints", _kept(30))
STATE = Topic("agent.state", {**COMPACTED, "max.message.bytes": BATCH})
INCIDENTS = Topic("agent.incidents", _kept(30))
# what govern counted, and the same by group; what people say of incidents; what correlate remembers
FOLDS = Topic("agent.folds", {**_kept(7), "max.message.bytes": BATCH})
FOLDS_BY_GROUP = Topic("agent.folds-by-group", {**_kept(7), "max.message.bytes": BATCH})
INCIDENT_ORDERS = Topic("agent.incident-orders", _kept(30))
# what alerting remembers, and what receivers are told; one owner groups for all, so that a flood is one group
ALERTS = Topic("agent.alerts", COMPACTED, single=True)
NOTIFICATIONS = Topic("agent.notifications", _kept(30), single=True)
CORRELATIONS = Topic("agent.correlations", {**COMPACTED, "max.message.bytes": BATCH})
# compressed by the broker: what comes in compressed may be a thousand times larger as it is kept
DEAD_LETTERS = Topic(
    "agent.dead-letters", {**_kept(90), "max.message.bytes": BATCH, "compression.type": "lz4"}
)
# kept for as long as any dead letter, and longer: it is what keeps one from being redriven twice
REDRIVEN = Topic("agent.redriven", FOR_EVER, single=True)
# who died without a word is forgotten after a day
WORKERS = Topic(
    "agent.workers",
    {**COMPACTED, "cleanup.policy": "compact,delete", "retention.ms": str(DAY_MS)},
    single=True,
)
SNAPSHOTS = Topic("agent.snapshots", {**_kept(30), "max.message.bytes": BATCH})
ARCHIVE = Topic("agent.archive", COMPACTED)
DELIVERIES = Topic("agent.deliveries", _kept(90))
# what a destination refused, until it takes it: compacted by destination and id, so that nothing expires
UNDELIVERED = Topic("agent.undelivered", {**COMPACTED, "max.message.bytes": BATCH})

TOPICS = (
    ACTIONS,
    CONTROL,
    DECISIONS,
    THREATS,
    CHECKPOINTS,
    STATE,
    INCIDENTS,
    FOLDS,
    FOLDS_BY_GROUP,
    INCIDENT_ORDERS,
    CORRELATIONS,
    ALERTS,
    NOTIFICATIONS,
    DEAD_LETTERS,
    REDRIVEN,
    WORKERS,
    SNAPSHOTS,
    ARCHIVE,
    DELIVERIES,
    UNDELIVERED,
)

DEFAULT_PARTITIONS = 12


def topic_name(topic: Topic, prefix: str = "") -> str:
    """The name on the broker: outputs carry the prefix, what all runs share does not."""
    return prefix + topic.name if topic.output else topic.name
