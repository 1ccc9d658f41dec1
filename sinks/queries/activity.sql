SELECT
    sums.at AS at,
    multiIf(
        {by:String} = 'agent', agent_id, {by:String} = 'team', team, {by:String} = 'tool', tool,
        {by:String} = 'model', model, {by:String} = 'rule', concat(policy, '/', rule), toString(effect)
    ) AS what,
    sum(sums.actions) AS actions, sumIf(sums.actions, effect = 'deny') AS denied, sum(sums.duplicates) AS duplicates,
    sum(sums.failed) AS failed, sum(sums.size_bytes) AS size_bytes
FROM (
    SELECT * FROM actions_by_minute WHERE {step:String} = 'minute'
    UNION ALL SELECT * FROM actions_by_hour WHERE {step:String} = 'hour'
    UNION ALL SELECT * FROM actions_by_day WHERE {step:String} = 'day'
) AS sums
WHERE tenant = {tenant:String} AND sums.at < {until:DateTime64(3)} AND sums.at >= multiIf(
    {step:String} = 'minute', toStartOfMinute({since:DateTime64(3)}),
    {step:String} = 'hour', toStartOfHour({since:DateTime64(3)}), toStartOfDay({since:DateTime64(3)}))
GROUP BY at, what
ORDER BY at DESC, actions DESC
LIMIT {limit:UInt32}
