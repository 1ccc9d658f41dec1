-- of what the rule matched, what went on all the same: it is in shadow, or something stronger decided
SELECT
    agent_id, action, resource, r.effect AS says, effect AS decided, startsWith(r.message, 'shadow:') AS shadow,
    count() AS times, min(received_at) AS first, max(received_at) AS last, argMax(event_id, received_at) AS last_event
FROM decisions
ARRAY JOIN reasons AS r
WHERE tenant = {tenant:String} AND has(reasons.rule, {rule:String}) AND r.rule = {rule:String}
    AND ({policy:String} = '' OR r.policy = {policy:String})
    AND r.effect IN ('deny', 'require_approval', 'defer') AND effect IN ('allow', 'modify')
    AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
GROUP BY ALL
ORDER BY times DESC, last DESC
LIMIT {limit:UInt32}
