SELECT
    received_at, agent_id, action, resource, effect, r.policy AS policy, r.rule AS rule, r.effect AS says,
    r.message AS message, bundle, control_offset, errors, event_id
FROM decisions
LEFT ARRAY JOIN reasons AS r
WHERE tenant = {tenant:String} AND effect IN ('deny', 'require_approval', 'defer')
    AND ({agent:String} = '' OR agent_id = {agent:String})
    AND ({event:String} = '' OR event_id = toUUIDOrZero({event:String}))
    AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
ORDER BY received_at DESC, seq DESC
LIMIT {limit:UInt32}
