SELECT received_at, agent_id, session_id, phase, action, resource, effect, arguments, content, event_id
FROM decisions
WHERE tenant = {tenant:String} AND hasAllTokens(words, lower({text:String}))
    AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
ORDER BY received_at DESC, seq DESC
LIMIT {limit:UInt32}
