"""Brings the store's tables to this version: numbered, forward only, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

HERE = Path(__file__).with_name("migrations")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return config


def head() -> str:
    """The newest migration of this version."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise RuntimeError("there are no migrations")
    return found


def known() -> set[str]:
    """All migrations of this version."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def standing(connection: Connection) -> str:
    """The newest migration that was applied; "" where none was."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(engine: Engine) -> None:
    """Apply what is missing, each migration in a transaction; two that do so at once wait for each other."""
    config = _config()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7041730)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
