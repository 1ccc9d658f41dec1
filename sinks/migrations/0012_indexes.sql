-- What finds rows whose agent is not known. `words` is what a text search looks into: one index for the three
-- texts, lower case, cut at everything that is neither letter nor digit. The archive does not index what it
-- inserts (sinks/clickhouse.py), merges do: until then a row is found by reading it.
ALTER TABLE decisions
    ADD COLUMN IF NOT EXISTS `words` String ALIAS lower(concat(resource, ' ', ifNull(arguments, ''), ' ', ifNull(content, '')))
        COMMENT 'resource, arguments and content in lower case, for hasAllTokens and hasAnyTokens.',
    ADD INDEX IF NOT EXISTS by_words lower(concat(resource, ' ', ifNull(arguments, ''), ' ', ifNull(content, '')))
        TYPE text(tokenizer = 'splitByNonAlpha'),
    ADD INDEX IF NOT EXISTS by_session session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX IF NOT EXISTS by_rule reasons.rule TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE decisions MATERIALIZE INDEX by_session;
ALTER TABLE decisions MATERIALIZE INDEX by_rule;
ALTER TABLE decisions MATERIALIZE INDEX by_words;

-- Texts and ids in hex are most of the bytes; numbers that only grow are told by their differences.
ALTER TABLE decisions
    MODIFY COLUMN `content` CODEC(ZSTD(1)),
    MODIFY COLUMN `arguments` CODEC(ZSTD(1)),
    MODIFY COLUMN `session_id` CODEC(ZSTD(1)),
    MODIFY COLUMN `trace_id` CODEC(ZSTD(1)),
    MODIFY COLUMN `span_id` CODEC(ZSTD(1)),
    MODIFY COLUMN `resource` CODEC(ZSTD(1)),
    MODIFY COLUMN `occurred_at` CODEC(Delta, LZ4),
    MODIFY COLUMN `received_at` CODEC(Delta, LZ4),
    MODIFY COLUMN `producer_seq` CODEC(Delta, LZ4),
    MODIFY COLUMN `source_offset` CODEC(Delta, LZ4),
    MODIFY COLUMN `seq` CODEC(Delta, LZ4);
