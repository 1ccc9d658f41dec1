SELECT
    received_at, phase, action, resource, effect, reasons[1].policy AS policy, reasons[1].rule AS rule,
    reasons[1].message AS reason, severity, outcome, session_id, event_id
FROM decisions
WHERE tenant = {tenant:String} AND agent_id = {agent:String}
    AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
ORDER BY received_at DESC, seq DESC
LIMIT {limit:UInt32}
