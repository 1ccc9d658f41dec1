-- Sums over decisions, filled as decisions are inserted. An insert that is repeated adds nothing: the archive's
-- tokens count for these tables too (deduplicate_blocks_in_dependent_materialized_views). log_id, partition
-- and first_seq tell which decisions a row is of, so that what was there before is added once (sinks/rollups.py).
CREATE TABLE IF NOT EXISTS actions_by_minute
(
    `at` DateTime('UTC') COMMENT 'Beginning of the minute of received_at.',
    `tenant` LowCardinality(String) COMMENT 'Who the agents work for.',
    `agent_id` LowCardinality(String) COMMENT 'The agent.',
    `team` LowCardinality(String) COMMENT 'The label team; empty where an action has none.',
    `phase` Enum8('unknown' = 0, 'prompt' = 1, 'call' = 2, 'result' = 3, 'definition' = 4, 'approval' = 5, 'outcome' = 6) COMMENT 'What moment of an action.',
    `tool` LowCardinality(String) COMMENT 'The tool; empty where an action has none.',
    `model` LowCardinality(String) COMMENT 'The model; empty where an action has none.',
    `policy` LowCardinality(String) COMMENT 'The policy of the rule that decided.',
    `rule` LowCardinality(String) COMMENT 'The rule that decided: the first reason.',
    `effect` Enum8('unknown' = 0, 'allow' = 1, 'deny' = 2, 'modify' = 3, 'require_approval' = 4, 'defer' = 5) COMMENT 'What was decided.',
    `log_id` LowCardinality(String) COMMENT 'The log.',
    `partition` Int32 COMMENT 'The partition.',
    `first_seq` SimpleAggregateFunction(min, Int64) COMMENT 'The lowest seq of them.',
    `actions` SimpleAggregateFunction(sum, UInt64) COMMENT 'How many.',
    `duplicates` SimpleAggregateFunction(sum, UInt64) COMMENT 'How many of them the producer sent before.',
    `failed` SimpleAggregateFunction(sum, UInt64) COMMENT 'How many a rule or detector failed on.',
    `input_tokens` SimpleAggregateFunction(sum, Int64) COMMENT 'As producers claim.',
    `output_tokens` SimpleAggregateFunction(sum, Int64) COMMENT 'As producers claim.',
    `cost_usd` SimpleAggregateFunction(sum, Float64) COMMENT 'As producers claim; what is no finite number counts 0.',
    `size_bytes` SimpleAggregateFunction(sum, Int64) COMMENT 'As producers claim.'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at, agent_id, team, phase, tool, model, policy, rule, effect, log_id, partition)
TTL at + INTERVAL 45 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'Decisions by minute. Sum the columns: rows of one minute are merged later.';

CREATE TABLE IF NOT EXISTS actions_by_hour AS actions_by_minute
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at, agent_id, team, phase, tool, model, policy, rule, effect, log_id, partition)
TTL at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'Decisions by hour, as actions_by_minute.';

CREATE TABLE IF NOT EXISTS actions_by_day AS actions_by_minute
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at, agent_id, team, phase, tool, model, policy, rule, effect, log_id, partition)
TTL at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'Decisions by day (UTC), as actions_by_minute.';

CREATE TABLE IF NOT EXISTS rules_by_hour
(
    `at` DateTime('UTC') COMMENT 'Beginning of the hour of received_at.',
    `tenant` LowCardinality(String) COMMENT 'Who the agents work for.',
    `policy` LowCardinality(String) COMMENT 'The policy; empty for decisions without a reason.',
    `rule` LowCardinality(String) COMMENT 'The rule.',
    `effect` Enum8('unknown' = 0, 'allow' = 1, 'deny' = 2, 'modify' = 3, 'require_approval' = 4, 'defer' = 5) COMMENT 'What the rule says.',
    `shadow` Bool COMMENT 'Whether it changed nothing, as its policy is in shadow.',
    `log_id` LowCardinality(String) COMMENT 'The log.',
    `partition` Int32 COMMENT 'The partition.',
    `first_seq` SimpleAggregateFunction(min, Int64) COMMENT 'The lowest seq of them.',
    `actions` SimpleAggregateFunction(sum, UInt64) COMMENT 'How many actions it decided, as the first reason.',
    `matched` SimpleAggregateFunction(sum, UInt64) COMMENT 'How many actions it matched.',
    `last_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'When it last matched.'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, policy, rule, at, effect, shadow, log_id, partition)
TTL at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'Rules that matched, by hour; also those that did not decide.';

CREATE TABLE IF NOT EXISTS delays_by_hour
(
    `at` DateTime('UTC') COMMENT 'Beginning of the hour of received_at.',
    `tenant` LowCardinality(String) COMMENT 'Who the agents work for.',
    `agent_id` LowCardinality(String) COMMENT 'The agent.',
    `tool` LowCardinality(String) COMMENT 'The tool; empty where an action has none.',
    `model` LowCardinality(String) COMMENT 'The model; empty where an action has none.',
    `log_id` LowCardinality(String) COMMENT 'The log.',
    `partition` Int32 COMMENT 'The partition.',
    `first_seq` SimpleAggregateFunction(min, Int64) COMMENT 'The lowest seq of them.',
    `actions` SimpleAggregateFunction(sum, UInt64) COMMENT 'How many.',
    `delay_ms` AggregateFunction(quantilesDD(0.01, 0.5, 0.9, 0.99), Float64) COMMENT 'received_at - occurred_at, milliseconds between 0 and 30 days: read it with quantilesDDMerge(0.01, 0.5, 0.9, 0.99).'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at, agent_id, tool, model, log_id, partition)
TTL at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 100000, ttl_only_drop_parts = 1
COMMENT 'How long actions took from the producer to the broker, by hour: quantiles, right to 1 %.';

CREATE MATERIALIZED VIEW IF NOT EXISTS decisions_to_minutes TO actions_by_minute AS
SELECT
    toStartOfMinute(received_at) AS at, tenant, agent_id, labels['team'] AS team, phase,
    ifNull(tool, '') AS tool, ifNull(model, '') AS model, reasons[1].policy AS policy, reasons[1].rule AS rule,
    effect, log_id, partition,
    min(seq) AS first_seq, count() AS actions, countIf(duplicate_of IS NOT NULL) AS duplicates,
    countIf(notEmpty(errors)) AS failed, sum(decisions.input_tokens) AS input_tokens,
    sum(decisions.output_tokens) AS output_tokens,
    sum(if(isFinite(decisions.cost_usd), decisions.cost_usd, 0)) AS cost_usd, sum(decisions.size_bytes) AS size_bytes
FROM decisions
GROUP BY at, tenant, agent_id, team, phase, tool, model, policy, rule, effect, log_id, partition;

CREATE MATERIALIZED VIEW IF NOT EXISTS decisions_to_hours TO actions_by_hour AS
SELECT
    toStartOfHour(received_at) AS at, tenant, agent_id, labels['team'] AS team, phase,
    ifNull(tool, '') AS tool, ifNull(model, '') AS model, reasons[1].policy AS policy, reasons[1].rule AS rule,
    effect, log_id, partition,
    min(seq) AS first_seq, count() AS actions, countIf(duplicate_of IS NOT NULL) AS duplicates,
    countIf(notEmpty(errors)) AS failed, sum(decisions.input_tokens) AS input_tokens,
    sum(decisions.output_tokens) AS output_tokens,
    sum(if(isFinite(decisions.cost_usd), decisions.cost_usd, 0)) AS cost_usd, sum(decisions.size_bytes) AS size_bytes
FROM decisions
GROUP BY at, tenant, agent_id, team, phase, tool, model, policy, rule, effect, log_id, partition;

CREATE MATERIALIZED VIEW IF NOT EXISTS decisions_to_days TO actions_by_day AS
SELECT
    toStartOfDay(received_at) AS at, tenant, agent_id, labels['team'] AS team, phase,
    ifNull(tool, '') AS tool, ifNull(model, '') AS model, reasons[1].policy AS policy, reasons[1].rule AS rule,
    effect, log_id, partition,
    min(seq) AS first_seq, count() AS actions, countIf(duplicate_of IS NOT NULL) AS duplicates,
    countIf(notEmpty(errors)) AS failed, sum(decisions.input_tokens) AS input_tokens,
    sum(decisions.output_tokens) AS output_tokens,
    sum(if(isFinite(decisions.cost_usd), decisions.cost_usd, 0)) AS cost_usd, sum(decisions.size_bytes) AS size_bytes
FROM decisions
GROUP BY at, tenant, agent_id, team, phase, tool, model, policy, rule, effect, log_id, partition;

CREATE MATERIALIZED VIEW IF NOT EXISTS decisions_to_rules TO rules_by_hour AS
SELECT
    toStartOfHour(received_at) AS at, tenant, reason.policy AS policy, reason.rule AS rule, reason.effect AS effect,
    startsWith(reason.message, 'shadow:') AS shadow, log_id, partition,
    min(seq) AS first_seq, countIf(place = 1) AS actions, countIf(reason.rule != '') AS matched,
    max(received_at) AS last_at
FROM decisions
ARRAY JOIN
    if(empty(reasons), arrayResize(reasons, 1), reasons) AS reason,
    arrayEnumerate(if(empty(reasons), arrayResize(reasons, 1), reasons)) AS place
GROUP BY at, tenant, policy, rule, effect, shadow, log_id, partition;

CREATE MATERIALIZED VIEW IF NOT EXISTS decisions_to_delays TO delays_by_hour AS
SELECT
    toStartOfHour(received_at) AS at, tenant, agent_id, ifNull(tool, '') AS tool, ifNull(model, '') AS model,
    log_id, partition, min(seq) AS first_seq, count() AS actions,
    quantilesDDState(0.01, 0.5, 0.9, 0.99)(
        toFloat64(least(greatest(toUnixTimestamp64Milli(received_at) - intDiv(occurred_at, 1000), 0), 2592000000))
    ) AS delay_ms
FROM decisions
GROUP BY at, tenant, agent_id, tool, model, log_id, partition;
