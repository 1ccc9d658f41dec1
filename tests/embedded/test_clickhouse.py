"""ClickHouse's HTTP interface on chDB, as the official client and a plain HTTP client see it."""

import gzip
import io
import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import clickhouse_connect
import cramjam
import fastavro
import httpx
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from runtime.embedded.services import ClickHouse

ROWS = {
    "type": "record",
    "name": "r",
    "fields": [{"name": "id", "type": "long"}, {"name": "s", "type": "string"}],
}


@pytest.fixture
def database(clickhouse: str) -> str:
    name = f"t{uuid.uuid4().hex}"
    httpx.post(clickhouse, params={"query": f"CREATE DATABASE {name}"}).raise_for_status()
    return name


@pytest.fixture
def client(clickhouse: str, database: str) -> Iterator[Client]:
    with clickhouse_connect.get_client(dsn=clickhouse, database=database) as connected:
        yield connected


def avro(ids: range, text: str = "x") -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(ROWS), ({"id": i, "s": f"{text}{i}"} for i in ids))
    return out.getvalue()


def test_typed_rows_go_in_and_come_out(client: Client) -> None:
    client.command(
        "CREATE TABLE t (a UInt64, s LowCardinality(String), d DateTime64(6, 'UTC'), m Map(String, Int8))"
    )
    stored = client.query("SELECT a, s, m FROM t").result_rows
    assert stored == []
    rows = [[1, "é'\\\n", "2024-01-01 00:00:00.000001", {"k": 1}], [2**64 - 1, "", "1999-01-01 00:00:00", {}]]
    values = ", ".join(f"({a}, '{quote(s)}', '{d}', {m})" for a, s, d, m in rows)
    client.command("INSERT INTO t VALUES", data=values)
    assert client.query("SELECT a, s, m FROM t ORDER BY a").result_rows == [(a, s, m) for a, s, _, m in rows]
    summary = client.insert("t", [[3, "z", client.query("SELECT max(d) FROM t").first_row[0], {"q": -1}]])
    assert summary.written_rows == 1
    assert client.query("SELECT m['q'] FROM t WHERE a = 3").first_row == (-1,)


def quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")


def test_an_empty_result_has_its_columns(client: Client) -> None:
    for query in ("SELECT 1 AS a, 'x' AS b WHERE 0", "WITH 2 AS x SELECT x AS a, [''] AS b WHERE 0;"):
        result = client.query(query)
        assert result.column_names == ("a", "b")
        assert result.result_rows == []


def test_parameters_are_bound_by_the_engine(client: Client) -> None:
    values = {"s": "tab\there 'quoted' \\ end\n", "n": -5, "l": ["a'b", "c\\d"]}
    row = client.query("SELECT {s:String}, {n:Int32}, {l:Array(String)}", parameters=values).first_row
    assert row == tuple(values.values())


@pytest.mark.parametrize("compression", [None, "gzip", "lz4", "zstd"])
def test_avro_goes_in_compressed_or_not(
    client: Client, clickhouse: str, database: str, compression: str | None
) -> None:
    client.command("CREATE TABLE t (id Int64, s String) ENGINE = MergeTree ORDER BY id")
    data = avro(range(1000))
    packed = {
        None: bytes,
        "gzip": gzip.compress,
        "lz4": lambda raw: bytes(cramjam.lz4.compress(raw)),
        "zstd": lambda raw: bytes(cramjam.zstd.compress(raw)),
    }[compression](data)
    client.raw_insert("t", insert_block=packed, fmt="Avro", compression=compression)
    assert client.query("SELECT count(), sum(id), min(s) FROM t").first_row == (1000, 499500, "x0")


@pytest.mark.parametrize("encoding", ["gzip", "lz4", "zstd"])
def test_a_reply_is_compressed_when_asked(clickhouse: str, encoding: str) -> None:
    request = {"query": "SELECT number FROM numbers(200000)", "enable_http_compression": "1"}
    with httpx.stream("POST", clickhouse, params=request, headers={"Accept-Encoding": encoding}) as reply:
        raw = b"".join(reply.iter_raw())
    assert reply.headers["Content-Encoding"] == encoding
    plain = bytes({"gzip": cramjam.gzip, "lz4": cramjam.lz4, "zstd": cramjam.zstd}[encoding].decompress(raw))
    assert plain == b"".join(b"%d\n" % n for n in range(200000))


def test_a_big_body_is_one_part(client: Client) -> None:
    client.command("CREATE TABLE t (id Int64, s String) ENGINE = MergeTree ORDER BY id")
    client.raw_insert("t", insert_block=avro(range(100_000), "y" * 600), fmt="Avro")
    parts = client.query(
        "SELECT rows FROM system.parts WHERE database = currentDatabase() AND table = 't' AND active"
    )
    assert parts.result_rows == [(100_000,)]


def test_errors_are_clickhouse_s_own(client: Client, clickhouse: str) -> None:
    with pytest.raises(DatabaseError, match=r"UNKNOWN_TABLE"):
        client.query("SELECT * FROM nowhere")
    reply = httpx.post(clickhouse, content="SELECT * FROM nowhere")
    assert (reply.status_code, reply.headers["X-ClickHouse-Exception-Code"]) == (404, "60")
    assert reply.text.startswith("Code: 60. DB::Exception")
    reply = httpx.post(clickhouse, params={"nonsense": "1"}, content="SELECT 1")
    assert (reply.status_code, reply.headers["X-ClickHouse-Exception-Code"]) == (404, "115")
    for refused, code in (
        (b"SELECT 1; SELECT 2", "62"),
        (b"", "62"),
        (b"SELECT '\xff'", "62"),
        (b"SELECT 1 INTO OUTFILE '/x'", "358"),
    ):
        reply = httpx.post(clickhouse, content=refused)
        assert reply.headers["X-ClickHouse-Exception-Code"] == code


def test_data_that_does_not_parse_is_refused_whole(client: Client) -> None:
    client.command("CREATE TABLE t (id Int64, s String) ENGINE = MergeTree ORDER BY id")
    with pytest.raises(DatabaseError):
        client.raw_insert("t", insert_block=avro(range(5000))[:-30], fmt="Avro")
    with pytest.raises(DatabaseError, match="Code: "):
        client.raw_insert("t", insert_block=b'{"id": 1}\n{"id": "x"}\n', fmt="JSONEachRow")
    assert client.query("SELECT count() FROM t").first_row == (0,)


def test_an_error_in_mid_stream_is_not_taken_for_the_end(client: Client, clickhouse: str) -> None:
    query = "SELECT throwIf(number = 3000000, 'broken') FROM numbers(4000000) SETTINGS max_threads = 1"
    with pytest.raises((StreamFailureError, DatabaseError), match="broken"):
        assert client.query(query).result_rows == []
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(clickhouse, content=query)


def test_a_token_makes_a_repeated_insert_harmless_for_views_too(client: Client) -> None:
    window = "SETTINGS non_replicated_deduplication_window = 100"
    client.command(f"CREATE TABLE t (id Int64, s String) ENGINE = MergeTree ORDER BY id {window}")
    client.command(f"CREATE TABLE sums (k Int64, n UInt64) ENGINE = SummingMergeTree ORDER BY k {window}")
    client.command("CREATE MATERIALIZED VIEW v TO sums AS SELECT id % 3 AS k, count() AS n FROM t GROUP BY k")
    for token in ("a", "a", "b", "a"):
        settings = {
            "insert_deduplication_token": token,
            "deduplicate_blocks_in_dependent_materialized_views": 1,
        }
        client.raw_insert("t", insert_block=avro(range(300)), fmt="Avro", settings=settings)
    assert client.query("SELECT (SELECT count() FROM t), (SELECT sum(n) FROM sums)").first_row == (600, 600)


def test_settings_and_database_do_not_leak_into_other_requests(client: Client, clickhouse: str) -> None:
    assert client.query("SELECT getSetting('max_threads')", settings={"max_threads": 7}).first_row == (7,)
    assert client.query("SELECT getSetting('max_threads')").first_row != (7,)
    assert httpx.post(clickhouse, content="SELECT currentDatabase()").text == "default\n"


def test_times_without_a_zone_are_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with ClickHouse(tmp_path) as server:
        assert httpx.post(server.url, content="SELECT timezone()").text == "UTC\n"


def test_a_readonly_request_writes_nothing(client: Client, clickhouse: str, database: str) -> None:
    client.command("CREATE TABLE t (id Int64) ENGINE = MergeTree ORDER BY id")
    for statement in (
        "INSERT INTO t VALUES (1)",
        "DROP TABLE t",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
    ):
        reply = httpx.post(clickhouse, params={"readonly": "1", "database": database}, content=statement)
        assert reply.headers.get("X-ClickHouse-Exception-Code") == "164", (statement, reply.text)
    reply = httpx.get(clickhouse, params={"query": "DROP TABLE t", "database": database})
    assert reply.headers["X-ClickHouse-Exception-Code"] == "164"
    assert httpx.get(clickhouse, params={"query": "SELECT 1"}).text == "1\n"
    assert client.query("SELECT count() FROM t", settings={"readonly": 1}).first_row == (0,)


def test_formats_are_named(clickhouse: str) -> None:
    for request, body in (
        ({"default_format": "JSONEachRow"}, "SELECT 1 AS a"),
        ({}, "SELECT 1 AS a FORMAT JSONEachRow"),
        ({"query": "SELECT 1 AS a"}, "FORMAT JSONEachRow"),
    ):
        reply = httpx.post(clickhouse, params=request, content=body)
        assert reply.text == '{"a":1}\n'
        assert reply.headers["X-ClickHouse-Format"] == "JSONEachRow"
    whole = httpx.post(clickhouse, content="SELECT 1 AS a FORMAT JSON")
    assert json.loads(whole.text)["data"] == [{"a": 1}]
    assert json.loads(whole.headers["X-ClickHouse-Summary"])["read_rows"] == "1"
    assert httpx.get(f"{clickhouse}/ping").text == "Ok.\n"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO t (id) FORMAT CSV", b"1\n2\n"),
        ("INSERT INTO t (id)", b" FORMAT CSV\n1\n2\n"),
        ("", b"INSERT INTO t (id) VALUES (1), (2)"),
        ("", b'/* FORMAT x */ INSERT INTO `t` SETTINGS max_threads = 1 FORMAT JSONEachRow {"id":1}{"id":2}'),
        ("INSERT INTO t SELECT number + 1 FROM numbers(2)", b""),
        ("WITH 1 AS one INSERT INTO t SELECT number + one FROM numbers(2)", b""),
    ],
)
def test_an_insert_is_split_as_clickhouse_does(
    clickhouse: str, database: str, query: str, body: bytes
) -> None:
    in_database = {"database": database}
    httpx.post(
        clickhouse, params=in_database, content="CREATE TABLE t (id Int64) ENGINE = Memory"
    ).raise_for_status()
    reply = httpx.post(
        clickhouse, params={**in_database, **({"query": query} if query else {})}, content=body
    )
    assert reply.status_code == 200, reply.text
    assert httpx.post(clickhouse, params=in_database, content="SELECT id FROM t ORDER BY id").text == "1\n2\n"


def test_clients_work_at_the_same_time(clickhouse: str, database: str) -> None:
    in_database = {"database": database}
    table = "CREATE TABLE t (id Int64) ENGINE = MergeTree ORDER BY id"
    httpx.post(clickhouse, params=in_database, content=table).raise_for_status()
    finished = threading.Event()

    def slow() -> str:
        text = httpx.post(
            clickhouse, content="SELECT sum(sleepEachRow(0.1)) FROM numbers(30)", timeout=60
        ).text
        finished.set()
        return text

    def insert(number: int) -> bool:
        reply = httpx.post(
            clickhouse, params={**in_database, "query": "INSERT INTO t FORMAT CSV"}, content=f"{number}\n"
        )
        return reply.status_code == 200 and not finished.is_set()

    with ThreadPoolExecutor(9) as pool:
        waiting = pool.submit(slow)
        assert all(pool.map(insert, range(40)))
        assert httpx.post(clickhouse, params=in_database, content="SELECT count() FROM t").text == "40\n"
        assert not finished.is_set()
        assert waiting.result() == "0\n"


def test_a_reader_that_goes_away_leaves_no_query_behind(clickhouse: str) -> None:
    mark = uuid.uuid4().hex
    query = f"SELECT number, '{mark}' FROM system.numbers"
    with httpx.stream("POST", clickhouse, content=query) as reply:
        next(reply.iter_raw())
    running = f"SELECT count() FROM system.processes WHERE query LIKE 'SELECT number, ''{mark}''%'"
    counts = iter(lambda: httpx.post(clickhouse, content=running).text, "0\n")
    assert sum(1 for _ in counts) < 1000


def test_a_writer_that_goes_away_inserts_nothing(clickhouse: str, database: str) -> None:
    in_database = {"database": database}
    table = "CREATE TABLE t (id Int64) ENGINE = MergeTree ORDER BY id"
    httpx.post(clickhouse, params=in_database, content=table).raise_for_status()

    def broken_body() -> Iterator[bytes]:
        yield b"1\n2\n"
        raise ConnectionError("the client dies")

    with pytest.raises(ConnectionError):
        request: dict[str, Any] = {**in_database, "query": "INSERT INTO t FORMAT CSV"}
        httpx.post(clickhouse, params=request, content=broken_body())
    assert httpx.post(clickhouse, params=in_database, content="SELECT count() FROM t").text == "0\n"


def test_what_was_acknowledged_survives_a_kill(own_clickhouse: ClickHouse) -> None:
    client = clickhouse_connect.get_client(dsn=own_clickhouse.url)
    client.command("CREATE TABLE t (id Int64, s String) ENGINE = MergeTree ORDER BY id")
    client.raw_insert("t", insert_block=avro(range(20_000)), fmt="Avro")
    own_clickhouse.kill()
    own_clickhouse.start()
    assert client.query("SELECT count(), sum(id) FROM t").first_row == (20_000, 199_990_000)
    own_clickhouse.stop()
    own_clickhouse.start()
    assert client.query("SELECT count(), sum(id) FROM t").first_row == (20_000, 199_990_000)


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    with ClickHouse(tmp_path, password="secret") as server:
        for headers in ({}, {"X-ClickHouse-Key": "wrong"}, {"Authorization": "Basic !!"}):
            reply = httpx.post(server.url, content="SELECT 1", headers=headers)
            assert (reply.status_code, reply.headers["X-ClickHouse-Exception-Code"]) == (403, "516")
        for headers in ({"X-ClickHouse-Key": "secret"}, {"Authorization": "Bearer secret"}):
            assert httpx.post(server.url, content="SELECT 1", headers=headers).text == "1\n"
        client = clickhouse_connect.get_client(dsn=server.url, username="default", password="secret")
        assert client.query("SELECT 1").first_row == (1,)
