-- Records that do not decode.
CREATE TABLE IF NOT EXISTS dead_letters
(
    `log_id` LowCardinality(String),
    `partition` Int32,
    `source_offset` Int64,
    `received_at` DateTime64(3, 'UTC'),
    `topic` LowCardinality(String),
    `stage` LowCardinality(String),
    `error_class` LowCardinality(String),
    `message` String,
    `value_bytes` Int64,
    `value_sha256` Nullable(FixedString(32)),
    `headers` Array(Tuple(key String, value Nullable(String))),
    `key` Nullable(String),
    `value` Nullable(String),
    `archived_by` String DEFAULT getSetting('log_comment') COMMENT 'The insert that brought the row: the archive counts by it.',
    INDEX by_insert archived_by TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (log_id, partition, source_offset, received_at)
TTL received_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'Records that do not decode, raw, with the reason.';
