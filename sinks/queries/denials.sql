SELECT agent_id, policy, rule, effect, sum(actions) AS times, max(at) AS last_hour
FROM actions_by_hour
WHERE tenant = {tenant:String} AND effect IN ('deny', 'require_approval', 'defer')
    AND at >= toStartOfHour({since:DateTime64(3)}) AND at < {until:DateTime64(3)}
GROUP BY ALL
ORDER BY times DESC
LIMIT {limit:UInt32}
