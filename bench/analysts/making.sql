-- Decisions of agents' traffic, as many as {rows:UInt64} over 30 days before {end:UInt32}: the rows from
-- {first:UInt64}, {count:UInt64} of them. Everything but random bytes is a function of a row's number. A call and
-- its result follow each other; some 3 % of the calls are denied, and one in 200 of these is executed all the same.
-- Words are drawn from {words:Array(String)}, the first ones far more often.
INSERT INTO decisions (
    event_id, tenant, agent_id, session_id, occurred_at, phase, mode, action, resource, tool, tool_server,
    parent_event_id, on_behalf_of, principal, trace_id, span_id, outcome, model, input_tokens, output_tokens, cost_usd,
    size_bytes, producer_id, producer_epoch, producer_seq, labels, arguments, content, salt, effect, policy_mode, reasons,
    severity, tags, errors, bundle, control_offset, engine, log_id, partition, source_offset, seq, received_at,
    arguments_digest, content_digest, schema, leaf
)
WITH
    {words:Array(String)} AS words,
    intDiv(number, 2) AS pair,
    number % 2 = 1 AS is_result,
    cityHash64('pair', pair) AS h,
    -- a few agents do much, most do little; a few tenants have many agents
    toUInt32(2000 * pow((h % 1000003) / 1000003, 2)) AS agent,
    toUInt32(20 * pow((cityHash64('agent', agent) % 10007) / 10007, 2)) AS tenant_number,
    cityHash64('trade', agent) AS trade,
    toUInt64(({end:UInt32} - 30 * 86400) * 1000. + 30 * 86400000. * (pair * 2) / {rows:UInt64}) AS called_ms,
    called_ms + if(is_result, 40 + toUInt32(30000 * pow((h % 997) / 997, 6)), 0) AS at_ms,
    intDiv(at_ms, 1800000) AS half_hour,
    h % 20 < 3 AS is_chat,
    ['read_file', 'write_file', 'shell', 'search', 'http_get', 'sql', 'send_mail', 'tickets'][1 + (cityHash64('tool', h) + trade % 3) % 8] AS tool_name,
    arrayElement(words, 1 + toUInt32(4000 * pow((cityHash64('w1', h) % 10007) / 10007, 3))) AS w1,
    arrayElement(words, 1 + toUInt32(4000 * pow((cityHash64('w2', h) % 10007) / 10007, 3))) AS w2,
    arrayElement(words, 1 + toUInt32(4000 * pow((cityHash64('w3', h) % 10007) / 10007, 3))) AS w3,
    multiIf(
        is_chat, '',
        tool_name IN ('read_file', 'write_file'), concat('/srv/', w1, '/', w2, '/', toString(h % 400), '.md'),
        tool_name = 'shell', concat('/srv/', w1),
        tool_name = 'http_get', concat('https://', w1, '.example.com/', w2, '?page=', toString(h % 50)),
        tool_name = 'sql', concat('db/', w1),
        tool_name = 'send_mail', concat(w1, '@', w2, '.example'),
        concat('/', w1)
    ) AS touched,
    cityHash64('effect', pair) % 1000 AS dice,
    multiIf(dice < 25, 'deny', dice < 30, 'require_approval', dice < 33, 'modify', 'allow') AS decided,
    arrayStringConcat(
        arrayMap(
            i -> arrayElement(words, 1 + toUInt32(4000 * pow((cityHash64(i, number) % 100003) / 100003, 3))),
            range(if(is_chat, 60, if(is_result, 20 + h % 90, if(tool_name IN ('write_file', 'send_mail'), 40, 4))))
        ), ' '
    ) AS text
SELECT
    reinterpretAsUUID(sipHash128('event', number)) AS event_id,
    concat('tenant-', toString(tenant_number)) AS tenant,
    concat('agent-', toString(agent)) AS agent_id,
    lower(hex(sipHash128('session', agent, half_hour))) AS session_id,
    (at_ms - 3 - h % 200) * 1000 + h % 1000 AS occurred_at,
    if(is_result, 'result', if(is_chat, 'prompt', 'call')) AS phase,
    'observe' AS mode,
    multiIf(is_chat, 'chat:model', tool_name = 'read_file', 'read:file', tool_name = 'write_file', 'write:file',
        tool_name = 'shell', 'exec:shell', 'call:tool') AS action,
    touched AS resource,
    if(is_chat, NULL, tool_name) AS tool,
    if(is_chat OR tool_name IN ('shell', 'read_file', 'write_file'), NULL, concat('mcp-', tool_name)) AS tool_server,
    if(is_result, reinterpretAsUUID(sipHash128('event', number - 1)), NULL) AS parent_event_id,
    concat('user-', toString(agent % 300)) AS on_behalf_of,
    concat('CN=', toString(tenant_number)) AS principal,
    lower(hex(sipHash128('trace', agent, half_hour, h % 5))) AS trace_id,
    lower(hex(h)) AS span_id,
    if(is_result, if(decided = 'deny' AND h % 200 != 0, 'error', if(h % 30 = 0, 'error', 'ok')), NULL) AS outcome,
    if(is_chat, ['opus', 'sonnet', 'haiku', 'gpt-large', 'gpt-small', 'gemini', 'qwen', 'llama'][1 + trade % 8], NULL) AS model,
    if(is_chat AND is_result, 500 + h % 30000, 0) AS input_tokens,
    if(is_chat AND is_result, 50 + h % 2000, 0) AS output_tokens,
    if(is_chat AND is_result, (500 + h % 30000) * 0.000003 + (50 + h % 2000) * 0.000015, 0) AS cost_usd,
    length(text) AS size_bytes,
    concat('producer-', toString(agent % 200)) AS producer_id,
    1 AS producer_epoch,
    number AS producer_seq,
    map('team', concat('team-', toString(agent % 40)), 'env', if(agent % 3 = 0, 'prod', 'test')) AS labels,
    multiIf(
        is_result OR is_chat, NULL,
        tool_name = 'read_file', concat('{"path":"', touched, '"}'),
        tool_name = 'write_file', concat('{"path":"', touched, '","text":"', text, '"}'),
        tool_name = 'shell', concat('{"command":"cd ', touched, ' && grep -rn ', w2, ' . | head -', toString(h % 90), '"}'),
        tool_name = 'http_get', concat('{"url":"', touched, '"}'),
        tool_name = 'sql', concat('{"query":"SELECT ', w2, ', ', w3, ' FROM ', w1, ' WHERE id = ', toString(h % 100000), '"}'),
        tool_name = 'send_mail', concat('{"to":"', touched, '","subject":"', w1, ' ', w3, '","body":"', text, '"}'),
        concat('{"q":"', text, '"}')
    ) AS arguments,
    if(is_result OR is_chat, text, NULL) AS content,
    reinterpretAsFixedString(generateUUIDv4(1)) AS salt,
    decided AS effect,
    'enforce' AS policy_mode,
    arrayConcat(
        if(decided = 'allow',
            [(concat('work-', toString(trade % 6)), concat('may-', tool_name), 'allow', 'part of its work')],
            [('guard', concat('no-', toString(dice)), decided, concat('not to be done with ', w1, ' by ', toString(trade % 6)))]),
        if(cityHash64('shadow', pair) % 500 = 0, [('trial', concat('try-', toString(h % 20)), 'deny', 'shadow: would be denied')], [])
    ) AS reasons,
    multiIf(decided = 'deny', 'high', decided = 'allow', 'informational', 'medium') AS severity,
    if(decided = 'deny', ['ASI02'], []) AS tags,
    [] AS errors,
    concat('sha256:', lower(hex(SHA256(toString(intDiv(called_ms, 86400000)))))) AS bundle,
    intDiv(called_ms, 86400000) AS control_offset,
    '3' AS engine,
    'bench' AS log_id,
    cityHash64(tenant_number, agent) % 12 AS partition,
    number AS source_offset,
    number AS seq,
    fromUnixTimestamp64Milli(toInt64(at_ms), 'UTC') AS received_at,
    if(arguments IS NULL, NULL, SHA256(concat(salt, arguments))) AS arguments_digest,
    if(content IS NULL, NULL, SHA256(concat(salt, content))) AS content_digest,
    202 AS schema,
    SHA256(concat(toString(number), salt)) AS leaf
FROM numbers({first:UInt64}, {count:UInt64})
