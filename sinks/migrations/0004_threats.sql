-- What detections found.
CREATE TABLE IF NOT EXISTS threats
(
    `log_id` LowCardinality(String),
    `partition` Int32,
    `source_offset` Int64,
    `seq` Int64,
    `received_at` DateTime64(3, 'UTC'),
    `tenant` LowCardinality(String),
    `agent_id` String,
    `session_id` Nullable(String),
    `detector` LowCardinality(String),
    `title` LowCardinality(String),
    `severity` Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5),
    `score` Float64,
    `evidence` Array(String),
    `first_at` DateTime64(3, 'UTC'),
    `last_at` DateTime64(3, 'UTC'),
    `tags` Array(LowCardinality(String)),
    `dedup_key` String,
    `bundle` LowCardinality(String),
    `message` String,
    `archived_by` String DEFAULT getSetting('log_comment') COMMENT 'The insert that brought the row: the archive counts by it.',
    INDEX by_insert archived_by TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, agent_id, received_at, partition, seq)
TTL received_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'What detections found.';
