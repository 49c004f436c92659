"""Bringing a database to the tables of this version; run each time the store is opened.

Alembic is imported only when there is something to migrate: it brings dialects, templates and a highlighter, and
the engine would hold them for as long as it runs. ``upgrade_apart`` therefore migrates in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
from sqlalchemy import Connection, inspect, text

from engine.store.database import Database
from engine.store.errors import NewerStore, StoreError

SCRIPTS = Path(__file__).parent / "migrations"
# Two nodes of a pool may start together: PostgreSQL makes the second wait for the first.
LOCK = 7_031_955
_TABLE = "alembic_version"


class _Outcome(msgspec.Struct):
    """What the process of ``upgrade_apart`` says: the copy made, or what was wrong."""

    backup: str | None = None
    newer: str | None = None
    error: str | None = None


def revisions() -> list[str]:
    """The migrations of this version, oldest first; each module is named by its number."""
    files = sorted((SCRIPTS / "versions").glob("v[0-9]*.py"))
    return [file.name[1:].partition("_")[0] for file in files]


def upgrade(url: str, revision: str = "head") -> Path | None:
    """Run the migrations ``url`` lacks, all or none; answers the copy made of a SQLite file before.

    Raises NewerStore when the database has a migration this version does not know.
    """
    # Batch migrations rebuild tables, which with foreign keys enforced would empty those that refer to them.
    database = Database(url, foreign_keys=False)
    try:
        return _upgrade(database, revision) if _lacks(database, revision) else None
    finally:
        database.close()


def upgrade_apart(url: str) -> Path | None:
    """As ``upgrade``, in a process of its own if anything is lacking. Raises StoreError too."""
    database = Database(url, foreign_keys=False)
    try:
        if not _lacks(database, "head"):
            return None
    finally:
        database.close()
    command = [sys.executable, "-c", "from engine.store.migrate import main; main()"]
    # by standard input: arguments are for all to read, and the address may have a password
    done = subprocess.run(command, input=url.encode(), stdout=subprocess.PIPE, check=False)
    try:
        outcome = msgspec.json.decode(done.stdout, type=_Outcome)
    except msgspec.DecodeError:
        raise StoreError(f"the migration ended with status {done.returncode}") from None
    if outcome.newer is not None:
        raise NewerStore(outcome.newer)
    if outcome.error is not None:
        raise StoreError(outcome.error)
    return Path(outcome.backup) if outcome.backup else None


def main() -> None:
    """Migrate the database whose address comes on standard input, and say how it went on standard output."""
    try:
        backup = upgrade(sys.stdin.read())
        outcome = _Outcome(backup=str(backup) if backup else None)
    except NewerStore as error:
        outcome = _Outcome(newer=error.revision)
    except StoreError as error:
        outcome = _Outcome(error=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


def _lacks(database: Database, revision: str) -> bool:
    """Whether there is anything to do. Raises NewerStore."""
    known = revisions()
    with database.connection() as connection:
        current = current_revision(connection)
    if current is not None and current not in known:
        raise NewerStore(current)
    return current != (known[-1] if revision == "head" else revision)


def _upgrade(database: Database, revision: str) -> Path | None:
    from alembic import command
    from alembic.config import Config

    with database.connection() as connection:
        current = current_revision(connection)
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
    if not inspect(connection).has_table(_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()  # noqa: S608  # a constant
    return None if found is None else str(found)


def _back_up(database: Database, revision: str) -> Path:
    copy = database.path.with_name(f"{database.path.name}.{revision}.backup")
    database.copy_to(copy)
    return copy


def _require_whole(connection: Connection) -> None:
    """Refuse a migration that left a row referring to nothing; the transaction is rolled back."""
    if broken := connection.execute(text("PRAGMA foreign_key_check")).first():
        raise StoreError(f"the migration would leave {broken[0]} referring to a missing {broken[2]}")
