-- the words of the resource are looked up in the index, what they find is compared
SELECT
    agent_id, action, effect, count() AS times, uniqExact(session_id) AS sessions, uniqExact(resource) AS resources,
    min(received_at) AS first, max(received_at) AS last, argMax(event_id, received_at) AS last_event
FROM decisions
WHERE tenant = {tenant:String}
    AND hasAllTokens(words, lower({resource:String}))
    AND (resource = {resource:String} OR startsWith(resource, concat({resource:String}, '/')))
    AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
GROUP BY ALL
ORDER BY last DESC
LIMIT {limit:UInt32}
