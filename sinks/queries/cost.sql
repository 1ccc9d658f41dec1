SELECT
    multiIf(
        {by:String} = 'agent', agent_id, {by:String} = 'team', team, {by:String} = 'day', toString(toDate(at)),
        {by:String} = 'tool', tool, model
    ) AS what,
    round(sum(cost_usd), 6) AS cost_usd, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
    sum(actions) AS actions
FROM actions_by_hour
WHERE tenant = {tenant:String} AND at >= toStartOfHour({since:DateTime64(3)}) AND at < {until:DateTime64(3)}
GROUP BY what
HAVING cost_usd != 0 OR input_tokens != 0 OR output_tokens != 0
ORDER BY cost_usd DESC, what
LIMIT {limit:UInt32}
