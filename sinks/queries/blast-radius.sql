-- everything that the incident's agents touched while it lasted, and an hour before and after
WITH
    (
        SELECT (agents, opened_at - INTERVAL 1 HOUR, updated_at + INTERVAL 1 HOUR) FROM incidents
        WHERE tenant = {tenant:String} AND incident_id = {incident:String} ORDER BY revision DESC LIMIT 1
    ) AS incident
SELECT
    touched.1 AS kind, touched.2 AS name, count() AS actions, countIf(effect IN ('deny', 'require_approval', 'defer')) AS stopped,
    uniqExact(agent_id) AS agents, min(received_at) AS first, max(received_at) AS last
FROM decisions
ARRAY JOIN [
    ('agent', agent_id), ('session', ifNull(session_id, '')), ('tool', ifNull(tool, '')),
    ('server', ifNull(tool_server, '')), ('resource', resource), ('user', ifNull(on_behalf_of, ''))
] AS touched
WHERE tenant = {tenant:String} AND has(incident.1, agent_id) AND touched.2 != ''
    AND received_at >= incident.2 AND received_at < incident.3
GROUP BY ALL
ORDER BY kind, actions DESC, name
LIMIT {limit:UInt32} BY kind
