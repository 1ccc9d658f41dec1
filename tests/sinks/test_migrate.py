"""Migrations: each once, in order, never changed, never backwards."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from clickhouse_connect.driver.client import Client

from runtime.errors import PraetorError
from runtime.settings import Settings
from schemas.catalogue import newest
from sinks.connection import connect
from sinks.migrate import Migration, migrate, need_migrated, read_migrations, status
from sinks.statements import split_statements
from sinks.tables import TABLES

FIRST = Migration(1, "0001_first.sql", "CREATE TABLE IF NOT EXISTS a (x Int8) ENGINE = MergeTree ORDER BY x;")
SECOND = Migration(2, "0002_second.sql", "ALTER TABLE a ADD COLUMN IF NOT EXISTS y String DEFAULT ';';")
SECOND_ALONE = replace(SECOND, text="CREATE TABLE IF NOT EXISTS b (x Int8) ENGINE = MergeTree ORDER BY x")

COMMENTS = """\
SELECT name, comment FROM system.columns WHERE database = currentDatabase() AND table = {table:String}
"""


def test_all_are_applied_once(empty: Settings) -> None:
    names = [m.name for m in read_migrations()]
    assert {state for _, state in status(empty)} == {"pending"}
    with pytest.raises(PraetorError, match="praetor db migrate"):
        need_migrated(empty)
    assert migrate(empty) == names
    assert migrate(empty) == []
    assert status(empty) == [(name, "applied") for name in names]
    need_migrated(empty)


def test_a_new_one_is_added_and_a_changed_one_refused(empty: Settings) -> None:
    assert migrate(empty, [FIRST]) == [FIRST.name]
    assert migrate(empty, [FIRST, SECOND]) == [SECOND.name]
    with pytest.raises(PraetorError, match=r"0001_first\.sql was changed after it had been applied"):
        migrate(empty, [replace(FIRST, text=FIRST.text + "\n"), SECOND])


def test_a_newer_database_is_refused(empty: Settings) -> None:
    migrate(empty, [FIRST, SECOND])
    with pytest.raises(PraetorError, match=r"0002_second\.sql, which this version of praetor lacks"):
        migrate(empty, [FIRST])


def test_a_number_below_an_applied_one_is_refused(empty: Settings) -> None:
    migrate(empty, [SECOND_ALONE])
    with pytest.raises(PraetorError, match=r"0001_first\.sql is below 0002"):
        migrate(empty, [FIRST, SECOND_ALONE])


def test_two_at_once_come_to_the_same(empty: Settings) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(migrate, empty) for _ in range(2)]
        for future in done:
            future.result()
    assert {state for _, state in status(empty)} == {"applied"}
    assert migrate(empty) == []


def test_every_statement_may_be_repeated(database: Settings, client: Client) -> None:
    """What a cut-off migration did is done again."""
    for migration in read_migrations():
        for statement in split_statements(migration.text):
            client.command(statement)


def test_columns_bear_the_names_and_words_of_the_fields(client: Client) -> None:
    for table in TABLES:
        found = dict(client.query(COMMENTS, {"table": table.name}).result_rows)
        assert all(found.values()), f"{table.name}: a column without a comment"
        assert {
            f["name"]: f["doc"] for f in newest(table.record).definition["fields"]
        }.items() <= found.items()


def test_a_comment_follows_its_field(empty: Settings) -> None:
    migrate(empty)
    client = connect(empty)
    client.command("ALTER TABLE threats COMMENT COLUMN detector 'it\\'s old'")
    migrate(empty)
    found = dict(client.query(COMMENTS, {"table": "threats"}).result_rows)
    client.close()
    assert found["detector"] == "The detector's or rule's id."


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ; ;\n", []),
        ("a; b", ["a", "b"]),
        ("a ';' b; `;` \"x;\" c;", ["a ';' b", '`;` "x;" c']),
        ("a -- no; no\nb; /* ; */ c", ["a  \nb", "c"]),
        (r"a '\';' b; c", [r"a '\';' b", "c"]),
        ("a ''';' ; b", ["a ''';'", "b"]),
    ],
)
def test_statements_end_where_sql_says(text: str, statements: list[str]) -> None:
    assert split_statements(text) == statements
