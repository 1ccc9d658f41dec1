-- The ledger's leaves, kept for ever: the ledger is verified from here after retention has removed decisions.
CREATE TABLE IF NOT EXISTS leaves
(
    `log_id` LowCardinality(String) COMMENT 'The log.',
    `partition` Int32 COMMENT 'The partition.',
    `seq` Int64 COMMENT 'Number of the decision in its partition.',
    `leaf` FixedString(32) COMMENT 'The decision''s leaf in the ledger.',
    `schema` Int32 COMMENT 'The schema id of the decision.'
)
ENGINE = MergeTree
ORDER BY (log_id, partition, seq)
SETTINGS non_replicated_deduplication_window = 100000
COMMENT 'Leaves of every decision ever archived, in ledger order. No TTL.';
