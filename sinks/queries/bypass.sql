-- results against the calls that they name; a call may have come up to a day before its result
SELECT
    multiIf(
        call.event_id = toUUID('00000000-0000-0000-0000-000000000000'), 'no decision',
        call.effect = 'deny', 'denied, executed',
        call.effect IN ('require_approval', 'defer'), 'not yet allowed, executed',
        'other arguments'
    ) AS finding,
    result.received_at AS executed_at, result.agent_id AS agent_id, result.action AS action, result.resource AS resource,
    result.outcome AS outcome, call.effect AS decided, call.reason AS reason, result.arguments AS executed_with,
    result.parent AS call_event, result.event_id AS result_event
FROM (
    SELECT
        event_id, assumeNotNull(parent_event_id) AS parent, agent_id, received_at, action, resource, outcome, arguments,
        NOT match(lower(ifNull(outcome, '')), '^(err|fail|den|refus|reject|block|cancel|abort|skip|time)') AS executed
    FROM decisions
    WHERE tenant = {tenant:String} AND phase IN ('result', 'outcome') AND parent_event_id IS NOT NULL
        AND ({agent:String} = '' OR agent_id = {agent:String})
        AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
) AS result
LEFT JOIN (
    SELECT
        event_id, effect, if(effect = 'allow', '', reasons[1].message) AS reason,
        cityHash64(if(effect = 'modify', ifNull(modified_arguments, arguments), arguments)) AS arguments_hash
    FROM decisions
    WHERE tenant = {tenant:String} AND phase NOT IN ('result', 'outcome')
        AND ({agent:String} = '' OR agent_id = {agent:String})
        AND received_at >= {since:DateTime64(3)} - INTERVAL 1 DAY AND received_at < {until:DateTime64(3)}
) AS call ON call.event_id = result.parent
WHERE result.executed AND (
    call.event_id = toUUID('00000000-0000-0000-0000-000000000000')
    OR call.effect IN ('deny', 'require_approval', 'defer')
    OR (result.arguments IS NOT NULL AND cityHash64(result.arguments) != call.arguments_hash)
)
ORDER BY executed_at DESC
LIMIT {limit:UInt32}
