-- Where in an action a finding shows, what to do about it, and what mutes it (threat v2). Older rows have none.
ALTER TABLE threats
    ADD COLUMN IF NOT EXISTS `spans` Array(Tuple(event_id String, field LowCardinality(String), start Int64, end Int64, text String)) AFTER message,
    ADD COLUMN IF NOT EXISTS `runbook` LowCardinality(String) AFTER spans,
    ADD COLUMN IF NOT EXISTS `muted_by` LowCardinality(Nullable(String)) AFTER runbook;
