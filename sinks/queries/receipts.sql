SELECT
    destination, topic, count() AS runs, sum(events) AS delivered, sum(filtered) AS left_out,
    sum(kept_aside) AS refused, sum(skipped) AS passed_over, max(last_offset) AS to_offset,
    max(archived_at) AS last
FROM deliveries
WHERE ({destination:String} = '' OR destination = {destination:String})
    AND archived_at >= {since:DateTime64(3)} AND archived_at < {until:DateTime64(3)}
GROUP BY ALL
ORDER BY destination, topic
LIMIT {limit:UInt32}
