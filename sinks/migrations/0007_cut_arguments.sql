-- What an action says of arguments that were cut (action_event v2). Rows of older decisions have none.
ALTER TABLE decisions
    ADD COLUMN IF NOT EXISTS `arguments_sha256` Nullable(FixedString(32)) AFTER content_ref,
    ADD COLUMN IF NOT EXISTS `arguments_bytes` Nullable(Int64) AFTER arguments_sha256;
