"""A database is put back as it was when it had fewer tables, and then brought up to date."""

from runtime.settings import Settings
from sinks.connection import connect
from sinks.migrate import migrate, read_migrations
from sinks.restoring import finish, make_tables, prepare, unmark


def test_a_backup_of_a_version_with_fewer_tables_is_restored(empty: Settings) -> None:
    then = read_migrations()[:7]
    assert then[-1].name == "0007_cut_arguments.sql"
    assert prepare(empty, "backup") is False
    client = connect(empty)
    make_tables(client, then)
    finish(client, then, "backup")
    unmark(client)
    before = {row[0] for row in client.query("SHOW TABLES").result_rows}
    assert migrate(empty) == [m.name for m in read_migrations()[7:]]
    after = {row[0] for row in client.query("SHOW TABLES").result_rows}
    client.close()
    assert after - before >= {"snapshots"} and {"decisions", "leaves", "migrations"} <= before
