SELECT received_at, severity, detector, title, agent_id, session_id, message, muted_by, evidence, dedup_key
FROM threats
WHERE tenant = {tenant:String} AND ({agent:String} = '' OR agent_id = {agent:String})
    AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
ORDER BY received_at DESC, seq DESC
LIMIT {limit:UInt32}
