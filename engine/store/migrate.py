"""Bringing a database to the tables of this version; run each time the store is opened."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from engine.store.database import Database
from engine.store.errors import NewerStore, StoreError

SCRIPTS = Path(__file__).parent / "migrations"
# Two nodes of a pool may start together: PostgreSQL makes the second wait for the first.
LOCK = 7_031_955


def upgrade(url: str, revision: str = "head") -> Path | None:
    """Run the migrations ``url`` lacks, all or none; answers the copy made of a SQLite file before.

    Raises NewerStore when the database has a migration this version does not know.
    """
    # Batch migrations rebuild tables, which with foreign keys enforced would empty those that refer to them.
    database = Database(url, foreign_keys=False)
    try:
        return _upgrade(database, revision)
    finally:
        database.close()


def _upgrade(database: Database, revision: str) -> Path | None:
    scripts = ScriptDirectory(str(SCRIPTS))
    with database.connection() as connection:
        current = current_revision(connection)
        _require_known(scripts, current)
    wanted = scripts.get_current_head() if revision == "head" else revision
    if current == wanted:
        return None
    backup = _back_up(database, current) if database.is_sqlite and current is not None else None
    with database.connection() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        if database.is_sqlite:
            _require_whole(connection)
    return backup


def current_revision(connection: Connection) -> str | None:
    """The migration the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def _require_known(scripts: ScriptDirectory, revision: str | None) -> None:
    if revision is None:
        return
    try:
        scripts.get_revision(revision)
    except CommandError as error:
        raise NewerStore(revision) from error


def _back_up(database: Database, revision: str) -> Path:
    copy = database.path.with_name(f"{database.path.name}.{revision}.backup")
    database.copy_to(copy)
    return copy


def _require_whole(connection: Connection) -> None:
    """Refuse a migration that left a row referring to nothing; the transaction is rolled back."""
    if broken := connection.execute(text("PRAGMA foreign_key_check")).first():
        raise StoreError(f"the migration would leave {broken[0]} referring to a missing {broken[2]}")
