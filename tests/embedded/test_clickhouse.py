import clickhouse_connect


def test_select(clickhouse: str) -> None:
    client = clickhouse_connect.get_client(dsn=clickhouse)
    assert client.query("SELECT 1 AS a, 'x' AS b").result_rows == [(1, "x")]
