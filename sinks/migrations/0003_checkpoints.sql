-- Signed tree heads, kept for ever.
CREATE TABLE IF NOT EXISTS checkpoints
(
    `log_id` LowCardinality(String),
    `partition` Int32,
    `size` Int64,
    `root` FixedString(32),
    `received_at` DateTime64(3, 'UTC'),
    `note` String,
    `archived_by` String DEFAULT getSetting('log_comment') COMMENT 'The insert that brought the row: the archive counts by it.',
    INDEX by_insert archived_by TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
ORDER BY (log_id, `partition`, size, received_at)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Signed tree heads of the ledger. No TTL.';
