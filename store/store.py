"""The store: what people set, in SQLite beside the embedded stack or in PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from runtime.errors import Newer, PraetorError, Unavailable
from store.audit import audited
from store.migrate import head, known, standing, upgrade

DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
BUSY_SECONDS = 10.0
CONNECT_SECONDS = 5


class Store:
    """One store. Its methods may be called by several threads."""

    def __init__(self, url: str) -> None:
        """Take `sqlite:///PATH` or `postgresql://user:password@host/database`; nothing is contacted.

        Raises:
            PraetorError: it is neither.
        """
        self._url = _checked(url)
        self._engine = _engine(self._url)

    def open(self) -> None:
        """See that it is there and of this version. An own SQLite file is made, and brought to this version.

        Raises:
            Unavailable: it does not answer.
            PraetorError: its tables are older (`praetor store migrate` mends it) or newer than this version.
        """
        if self._url.get_backend_name() == "sqlite":
            self.migrate()
            return
        with _told(self._url), self._engine.connect() as connection:
            found = standing(connection)
        if found == head():
            return
        if found and found not in known():
            raise Newer(
                f"the store is at migration {found}, which this version does not know: upgrade praetor"
            )
        raise PraetorError(
            f"the store is at migration {found or 'none'}, this version needs {head()}: run `praetor store"
            " migrate`"
        )

    def migrate(self) -> str:
        """Bring the tables to this version, and return which that is.

        Raises:
            Unavailable, PraetorError: as `open`.
        """
        with _told(self._url):
            with self._engine.connect() as connection:
                found = standing(connection)
            if found and found not in known():
                raise Newer(
                    f"the store is at migration {found}, which this version does not know: upgrade praetor"
                )
            if found != head():
                upgrade(self._engine)
        return head()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that changes nothing.

        Raises:
            Unavailable: the store does not answer.
        """
        with _told(self._url), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def changing(self, by: str) -> Iterator[Session]:
        """A session whose changes are recorded under a name, and committed at the end of the block.

        Raises:
            Unavailable: the store does not answer.
        """
        with _told(self._url), Session(self._engine, expire_on_commit=False) as session:
            yield audited(session, by)
            session.commit()

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def _checked(url: str) -> URL:
    with suppress(ArgumentError):
        found = make_url(url)
        driver = DRIVERS.get(found.get_backend_name())
        if driver:
            return found.set(drivername=driver)
    raise PraetorError(
        "PRAETOR_STORE_URL is no address of a store: write sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    )


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_SECONDS})
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _settle(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        # readers do not wait for who writes, and a commit is on disk when it returns
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


@contextmanager
def _told(url: URL) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise Unavailable(f"the store {url.render_as_string(hide_password=True)}: {reason}") from error
    except SQLAlchemyError as error:
        raise PraetorError(f"the store {url.render_as_string(hide_password=True)}: {error}") from error
