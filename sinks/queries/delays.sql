SELECT
    multiIf({by:String} = 'agent', agent_id, {by:String} = 'model', model, tool) AS what,
    arrayMap(q -> round(q), quantilesDDMerge(0.01, 0.5, 0.9, 0.99)(delay_ms)) AS quantiles,
    quantiles[1] AS p50_ms, quantiles[2] AS p90_ms, quantiles[3] AS p99_ms, sum(actions) AS actions
FROM delays_by_hour
WHERE tenant = {tenant:String} AND at >= toStartOfHour({since:DateTime64(3)}) AND at < {until:DateTime64(3)}
GROUP BY what
ORDER BY p99_ms DESC, what
LIMIT {limit:UInt32}
