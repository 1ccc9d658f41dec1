-- One row an action, as judged. Columns bear the names of the Avro fields, and take their comments from there.
-- TTL and partitions go by received_at, the broker's time: what a producer claims could erase its own row.
CREATE TABLE IF NOT EXISTS decisions
(
    `event_id` UUID,
    `tenant` LowCardinality(String),
    `agent_id` String,
    `session_id` Nullable(String),
    `occurred_at` Int64,
    `occurred_at_time` DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(occurred_at, 'UTC')
        COMMENT 'occurred_at as a time, where it lies between 1900 and 2299.',
    `phase` Enum8('unknown' = 0, 'prompt' = 1, 'call' = 2, 'result' = 3, 'definition' = 4, 'approval' = 5, 'outcome' = 6),
    `mode` Enum8('unknown' = 0, 'observe' = 1, 'enforce' = 2),
    `action` LowCardinality(String),
    `resource` String,
    `tool` LowCardinality(Nullable(String)),
    `tool_server` LowCardinality(Nullable(String)),
    `parent_event_id` Nullable(UUID),
    `on_behalf_of` LowCardinality(Nullable(String)),
    `principal` LowCardinality(Nullable(String)),
    `trace_id` Nullable(String),
    `span_id` Nullable(String),
    `outcome` LowCardinality(Nullable(String)),
    `model` LowCardinality(Nullable(String)),
    `input_tokens` Int64,
    `output_tokens` Int64,
    `cost_usd` Float64,
    `size_bytes` Int64,
    `producer_id` LowCardinality(Nullable(String)),
    `producer_epoch` Int64,
    `producer_seq` Int64,
    `enforced_effect` LowCardinality(Nullable(String)),
    `enforced_by` LowCardinality(Nullable(String)),
    `decision_ref` Nullable(String),
    `deadline` Nullable(Int64),
    `deadline_time` Nullable(DateTime64(6, 'UTC')) ALIAS fromUnixTimestamp64Micro(deadline, 'UTC')
        COMMENT 'deadline as a time.',
    `content_sha256` Nullable(FixedString(32)),
    `content_bytes` Nullable(Int64),
    `content_ref` Nullable(String),
    `labels` Map(LowCardinality(String), String),
    `arguments` Nullable(String),
    `content` Nullable(String),
    `salt` Nullable(String),
    `effect` Enum8('unknown' = 0, 'allow' = 1, 'deny' = 2, 'modify' = 3, 'require_approval' = 4, 'defer' = 5),
    `policy_mode` Enum8('unknown' = 0, 'enforce' = 1, 'shadow' = 2),
    `reasons` Array(Tuple(policy LowCardinality(String), rule LowCardinality(String), effect Enum8('unknown' = 0, 'allow' = 1, 'deny' = 2, 'modify' = 3, 'require_approval' = 4, 'defer' = 5), message String)),
    `severity` Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5),
    `tags` Array(LowCardinality(String)),
    `errors` Array(String),
    `modified_arguments` Nullable(String),
    `limits_remaining` Map(LowCardinality(String), Float64),
    `approval_id` Nullable(String),
    `duplicate_of` Nullable(String),
    `bundle` LowCardinality(String),
    `control_offset` Int64,
    `engine` LowCardinality(String),
    `log_id` LowCardinality(String),
    `partition` Int32,
    `source_offset` Int64,
    `seq` Int64,
    `received_at` DateTime64(3, 'UTC'),
    `arguments_digest` Nullable(FixedString(32)),
    `content_digest` Nullable(FixedString(32)),
    `modified_arguments_digest` Nullable(FixedString(32)),
    `schema` Int32,
    `leaf` FixedString(32),
    INDEX by_event event_id TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_seq seq TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, agent_id, received_at, partition, seq)
TTL received_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'Every action and what was decided of it. Read decisions_overview first.';

CREATE MATERIALIZED VIEW IF NOT EXISTS decisions_to_leaves TO leaves AS
SELECT log_id, partition, seq, leaf, schema FROM decisions;
