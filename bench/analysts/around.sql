-- What stands beside the decisions: a threat for one denial in ten, ten incidents of each tenant.
TRUNCATE TABLE threats;
INSERT INTO threats
    (log_id, partition, source_offset, seq, received_at, tenant, agent_id, session_id, detector, title, severity, score,
    evidence, first_at, last_at, dedup_key, bundle, message)
SELECT
    log_id, partition, source_offset, seq, received_at, tenant, agent_id, session_id, reasons[1].rule, 'made', 'high', 1,
    [toString(event_id)], received_at, received_at, toString(event_id), bundle, reasons[1].message
FROM decisions WHERE effect = 'deny' AND cityHash64(event_id) % 10 = 0;
TRUNCATE TABLE incidents;
INSERT INTO incidents
    (log_id, incident_id, group_key, status, severity, title, opened_at, updated_at, revision, tenant, agents, sessions)
SELECT
    'bench', concat('i-', tenant, '-', toString(number)), tenant, 'open', 'high', 'made',
    {end:DateTime} - INTERVAL 3 * number + 2 HOUR, {end:DateTime} - INTERVAL 3 * number HOUR, 1, tenant,
    groupUniqArray(20)(agent_id), []
FROM (SELECT DISTINCT tenant, agent_id, arrayJoin(range(10)) AS number FROM actions_by_day)
GROUP BY tenant, number;
