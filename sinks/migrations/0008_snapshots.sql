-- What was remembered of an agent before its first action of a day, and before every 1,000th.
CREATE TABLE IF NOT EXISTS snapshots
(
    `log_id` LowCardinality(String),
    `partition` Int32,
    `seq` Int64,
    `source_offset` Int64,
    `received_at` DateTime64(3, 'UTC'),
    `tenant` LowCardinality(String),
    `agent_id` String,
    `control_offset` Int64,
    `engine` LowCardinality(String),
    `cells` Map(LowCardinality(String), String),
    `archived_by` String DEFAULT getSetting('log_comment') COMMENT 'The insert that brought the row: the archive counts by it.',
    INDEX by_insert archived_by TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, agent_id, received_at, partition, seq)
TTL received_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'Agents as they were remembered at points of time: what praetor policy rejudge begins from.';
