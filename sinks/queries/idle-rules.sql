-- rules that ever matched, and those named in `known`; which of them did not in the range
WITH arrayFilter(name -> name != '', splitByChar(',', {known:String})) AS names
SELECT policy, rule, sum(ever) AS matched_ever, nullIf(max(last_at), toDateTime64(0, 3, 'UTC')) AS last
FROM (
    SELECT
        policy, rule, sum(matched) AS ever,
        sumIf(matched, at >= toStartOfHour({since:DateTime64(3)}) AND at < {until:DateTime64(3)}) AS now,
        max(last_at) AS last_at
    FROM rules_by_hour
    WHERE tenant = {tenant:String} AND rule != ''
    GROUP BY policy, rule
    UNION ALL
    SELECT splitByChar('/', name)[1], substring(name, position(name, '/') + 1), 0, 0, toDateTime64(0, 3, 'UTC')
    FROM (SELECT arrayJoin(names) AS name)
)
WHERE empty(names) OR has(names, concat(policy, '/', rule))
GROUP BY policy, rule
HAVING sum(now) = 0
ORDER BY last, policy, rule
LIMIT {limit:UInt32}
