from hypothesis import given
from hypothesis import strategies as st

from runtime.embedded.statement import Insert, parse_insert, parse_query

PIECES = [
    "INSERT",
    "INTO",
    "t",
    "FORMAT",
    "CSV",
    "VALUES",
    "(",
    ")",
    "'FORMAT x'",
    "`a",
    "/*",
    "*/",
    "--",
    "\n",
    ";",
    "\\",
    "'",
]


@given(st.lists(st.sampled_from(PIECES)).map(" ".join) | st.text())
def test_no_text_is_too_odd(text: str) -> None:
    insert = parse_insert(text.encode(), whole=True)
    assert insert is None or 0 < insert.start <= len(text.encode())
    assert isinstance(parse_query(text.encode()).core, str)


@given(st.binary(), st.sampled_from(["\n", "\r\n", "  \n"]))
def test_data_is_taken_byte_for_byte(data: bytes, end: str) -> None:
    head = "INSERT INTO t (`format`, \"values\") SETTINGS x = 'FORMAT CSV' /* VALUES */ "
    begin = f"{head}FORMAT Native{end}".encode()
    assert parse_insert(begin + data) == Insert(head, "Native", len(begin))


def test_a_head_that_is_not_complete_waits_for_more() -> None:
    assert parse_insert(b"INSERT INTO t FORMAT Av") is None
    assert parse_insert(b"INSERT INTO t FORMAT Av", whole=True) == Insert("INSERT INTO t ", "Av", 23)
    assert parse_insert(b"INSERT INTO t SELECT 1 FORMAT CSV\n1") is None


def test_a_format_clause_is_the_last_word_of_a_query() -> None:
    assert parse_query(b"SELECT 1 AS format FROM t").data_format == ""
    assert parse_query(b"SELECT format FORMAT x FORMAT CSV -- FORMAT TSV").data_format == "CSV"
    assert parse_query(b"select 1 format JSON settings x = 1;").data_format == "JSON"
    assert parse_query(b"select (1 format JSON)").data_format == ""
    assert not parse_query(b"SELECT ';';  -- ;").several
    assert parse_query(b"SELECT 1; DROP TABLE t").several
