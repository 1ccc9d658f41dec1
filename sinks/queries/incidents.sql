SELECT
    updated_at, status, severity, title, group_by, group_key, threat_count, denial_count, length(agents) AS agents,
    story, incident_id
FROM (
    SELECT * FROM incidents WHERE tenant = {tenant:String} ORDER BY incident_id, revision DESC LIMIT 1 BY incident_id
)
WHERE updated_at >= {since:DateTime64(3)} AND updated_at < {until:DateTime64(3)}
    AND ({status:String} = '' OR toString(status) = {status:String})
ORDER BY severity DESC, updated_at DESC
LIMIT {limit:UInt32}
