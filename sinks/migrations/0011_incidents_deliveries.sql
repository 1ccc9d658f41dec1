-- Incidents as they grew, and receipts of what destinations took. These topics' records have no received_at, and
-- incidents no partition: both are told by the insert. A repeated insert adds nothing, whatever its time says.
CREATE TABLE IF NOT EXISTS incidents
(
    `log_id` LowCardinality(String),
    `incident_id` String,
    `group_key` String,
    `status` Enum8('unknown' = 0, 'open' = 1, 'acknowledged' = 2, 'resolved' = 3),
    `severity` Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5),
    `title` String,
    `opened_at` DateTime64(3, 'UTC'),
    `updated_at` DateTime64(3, 'UTC'),
    `members` Array(String),
    `response` String,
    `revision` Int64,
    `change` LowCardinality(String),
    `tenant` LowCardinality(String),
    `group_by` LowCardinality(String),
    `agents` Array(String),
    `sessions` Array(String),
    `tools` Array(String),
    `resources` Array(String),
    `detectors` Array(Tuple(detector String, title String, severity String, count Int64)),
    `threat_count` Int64,
    `denial_count` Int64,
    `evidence` Array(String),
    `tags` Array(LowCardinality(String)),
    `responses` Array(Tuple(kind String, target String, at Int64, dry_run Bool, control_offset Nullable(Int64), reason String)),
    `story` String,
    `runbook` String,
    `resolved_at` Nullable(Int64),
    `resolved_by` String,
    `resolved_at_time` Nullable(DateTime64(3, 'UTC')) ALIAS fromUnixTimestamp64Milli(resolved_at, 'UTC')
        COMMENT 'resolved_at as a time.',
    `partition` Int32 DEFAULT toInt32OrZero(splitByChar('/', getSetting('log_comment'))[-4])
        COMMENT 'The partition of agent.incidents.',
    `archived_by` String DEFAULT getSetting('log_comment') COMMENT 'The insert that brought the row: the archive counts by it.',
    INDEX by_insert archived_by TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (tenant, incident_id, revision)
TTL updated_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Incidents: each row one as it stood then. The highest revision is how it stands: incidents_now.';

CREATE OR REPLACE VIEW incidents_now AS
SELECT *, resolved_at_time FROM incidents ORDER BY tenant, incident_id, revision DESC LIMIT 1 BY tenant, incident_id
COMMENT 'Incidents as they stand.';

CREATE TABLE IF NOT EXISTS deliveries
(
    `log_id` LowCardinality(String),
    `partition` Int32,
    `destination` LowCardinality(String),
    `topic` LowCardinality(String),
    `first_offset` Int64,
    `last_offset` Int64,
    `events` Int64,
    `filtered` Int64,
    `kept_aside` Int64,
    `tries` Int32,
    `milliseconds` Int64,
    `skipped` Int64,
    `archived_at` DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When the receipt was archived, seconds after the delivery.',
    `archived_by` String DEFAULT getSetting('log_comment') COMMENT 'The insert that brought the row: the archive counts by it.',
    INDEX by_insert archived_by TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (destination, topic, partition, first_offset)
TTL archived_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'What destinations took, a run of records each. After a crash a run may stand twice, as it may have been sent twice.';
