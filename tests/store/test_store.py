"""The store, on SQLite and on PostgreSQL: what is set, what is read, what is on record."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from runtime.errors import Newer, PraetorError, Unavailable
from store.audit import Unaudited
from store.models import Acknowledgement, Base, Change, Note, Silence, Window
from store.scope import checked
from store.seen import acknowledge, acknowledgements, changes, notes, write_note
from store.silences import add_silence, add_window, expire, silences, windows
from store.store import Store

NOW = 1_780_000_000_000
HOUR = 3_600_000


def silence(**fields: object) -> Silence:
    known: dict[str, object] = {
        "scope": {"agent": ["load-*"], "tenant": ["acme"]},
        "starts": NOW,
        "ends": NOW + HOUR,
        "comment": "load test",
        "made_by": "alice",
        "made_at": NOW,
    }
    return Silence(**(known | fields))


def window(**fields: object) -> Window:
    known: dict[str, object] = {
        "name": "nightly",
        "scope": {"tenant": ["acme"]},
        "starts": NOW,
        "ends": NOW + HOUR,
        "made_by": "alice",
        "made_at": NOW,
    }
    return Window(**(known | fields))


def test_models_and_migrations_say_the_same(store: Store) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_silence_is_set_read_and_ended(store: Store) -> None:
    with store.changing("alice") as session:
        made = add_silence(session, silence())
    with store.reading() as session:
        (found,) = silences(session, NOW + 1)
        assert (found.id, found.scope, found.ends) == (
            made.id,
            {"agent": ["load-*"], "tenant": ["acme"]},
            NOW + HOUR,
        )
        assert silences(session, NOW + HOUR) == []
    with store.changing("bob") as session:
        expire(session, made.id, NOW + 10)
    with store.reading() as session:
        assert silences(session, NOW + 11) == []
        assert [s.ends for s in silences(session)] == [NOW + 10]
    with pytest.raises(PraetorError, match="has ended already"), store.changing("bob") as session:
        expire(session, made.id, NOW + 12)


def test_windows_come_again_until_they_are_ended(store: Store) -> None:
    with store.changing("alice") as session:
        daily = add_window(session, window(every=24 * HOUR))
        add_window(session, window(name="once"))
    with store.reading() as session:
        assert [w.name for w in windows(session, NOW + 2 * HOUR)] == ["nightly"]
        assert len(windows(session, NOW)) == 2
    with store.changing("bob") as session:
        expire(session, daily.id, NOW + 50 * HOUR)
    with store.reading() as session:
        assert windows(session, NOW + 51 * HOUR) == []


@pytest.mark.parametrize("wrong", [{"ends": NOW}, {"ends": NOW - 1}, {"ends": NOW + 400 * 24 * HOUR}])
def test_silences_that_make_no_sense_are_refused(store: Store, wrong: dict[str, int]) -> None:
    with pytest.raises(PraetorError, match="end after it starts"), store.changing("alice") as session:
        add_silence(session, silence(**wrong))
    with store.reading() as session:
        assert silences(session) == []
        assert changes(session) == []


def test_every_change_is_on_record_with_who_and_what_it_was(store: Store) -> None:
    with store.changing("alice") as session:
        made = add_silence(session, silence())
        acknowledge(session, Acknowledgement(subject="inc-1", made_by="alice", made_at=NOW))
        write_note(session, Note(subject="inc-1", text="looked at it", made_by="alice", made_at=NOW))
    with store.changing("bob") as session:
        expire(session, made.id, NOW + 5)
    with store.reading() as session:
        ended, *added = changes(session)
        assert (ended.by, ended.of_table, ended.of_row) == ("bob", "silences", made.id)
        assert (ended.before, ended.after) == ({"ends": NOW + HOUR}, {"ends": NOW + 5})
        assert {c.of_table: c.by for c in added} == dict.fromkeys(
            ("silences", "acknowledgements", "notes"), "alice"
        )
        whole = next(c for c in added if c.of_table == "silences")
        assert whole.before == {}
        assert whole.after["comment"] == "load test"
        assert [n.text for n in notes(session, "inc-1")] == ["looked at it"]
        assert [a.subject for a in acknowledgements(session)] == ["inc-1"]


def test_what_fails_leaves_neither_a_change_nor_its_record(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.changing("alice") as session:
        add_silence(session, silence())
        session.flush()
        _ = 1 / 0
    with store.reading() as session:
        assert silences(session) == []
        assert changes(session) == []


def test_the_record_itself_is_not_changed_and_nothing_is_deleted(store: Store) -> None:
    with store.changing("alice") as session:
        made = add_silence(session, silence())
    with pytest.raises(Unaudited), store.changing("eve") as session:
        session.get_one(Change, 1).by = "somebody"
    with pytest.raises(Unaudited), store.changing("eve") as session:
        session.delete(session.get_one(Silence, made.id))
    with store.reading() as session:
        assert [c.by for c in changes(session)] == ["alice"]
        assert len(silences(session)) == 1


def test_two_cannot_acknowledge_the_same(store: Store) -> None:
    with store.changing("alice") as session:
        acknowledge(session, Acknowledgement(subject="inc-1", made_by="alice", made_at=NOW))
    with pytest.raises(PraetorError, match="acknowledged by alice"), store.changing("bob") as session:
        acknowledge(session, Acknowledgement(subject="inc-1", made_by="bob", made_at=NOW))


def test_many_who_write_at_once_lose_nothing(store: Store) -> None:
    def write(number: int) -> None:
        for n in range(5):
            with store.changing(f"writer-{number}") as session:
                write_note(session, Note(subject="s", text=f"{number}/{n}", made_by="w", made_at=NOW))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as session:
        assert len(notes(session, "s")) == 20
        assert len(changes(session, 1000)) == 20


def test_migrating_twice_and_at_once_is_migrating(url: str) -> None:
    stores = [Store(url) for _ in range(3)]
    threads = [threading.Thread(target=store.migrate) for store in stores[1:]]
    stores[0].migrate()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in stores:
        each.open()
        each.close()


def test_a_store_of_a_newer_version_is_left_alone(store: Store, url: str) -> None:
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    again = Store(url)
    with pytest.raises(Newer, match="upgrade praetor"):
        again.open()
    again.close()


def test_a_postgresql_without_tables_says_what_to_do(server: str) -> None:
    fresh = Store(server)
    with pytest.raises(PraetorError, match="praetor store migrate"):
        fresh.open()
    fresh.close()


def test_a_store_that_is_away_is_told_without_its_password() -> None:
    away = Store("postgresql://praetor:hunter2@127.0.0.1:9/none")
    with pytest.raises(Unavailable) as told:
        away.open()
    assert "hunter2" not in str(told.value)
    away.close()


@pytest.mark.parametrize("url", ["", "mysql://a/b", "no address", "postgresql"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(PraetorError, match="PRAETOR_STORE_URL"):
        Store(url)


def test_a_scope_is_checked_all_at_once() -> None:
    with pytest.raises(PraetorError) as told:
        checked({"agent": ["[a"], "tenant": ["x**"], "colour": ["red"]})
    assert all(word in str(told.value) for word in ("']'", "'**'", "colour"))
    with pytest.raises(PraetorError, match="what is to be silent"):
        checked({"agent": []})


def test_sqlite_writes_ahead(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'a' / 'store.db'}")
    store.open()
    with store._engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    store.close()
