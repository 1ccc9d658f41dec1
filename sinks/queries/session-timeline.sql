SELECT at, kind, agent_id, what, about, came, why, id
FROM (
    SELECT
        received_at AS at, toString(phase) AS kind, agent_id, action AS what, resource AS about,
        toString(effect) AS came,
        if(effect = 'allow', ifNull(outcome, ''), reasons[1].message) AS why, toString(event_id) AS id, seq AS place
    FROM decisions
    WHERE tenant = {tenant:String} AND session_id = {session:String}
        AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
    UNION ALL
    SELECT received_at, 'threat', agent_id, detector, title, toString(severity), message, dedup_key, seq
    FROM threats
    WHERE tenant = {tenant:String} AND session_id = {session:String}
        AND received_at >= {since:DateTime64(3)} AND received_at < {until:DateTime64(3)}
    UNION ALL
    SELECT
        updated_at, 'incident', arrayStringConcat(agents, ' '), change, title, toString(status), story, incident_id,
        9223372036854775807
    FROM incidents
    WHERE tenant = {tenant:String} AND has(sessions, {session:String})
        AND updated_at >= {since:DateTime64(3)} AND updated_at < {until:DateTime64(3)}
)
ORDER BY at, place, kind
LIMIT {limit:UInt32}
