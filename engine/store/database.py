"""One database, SQLite or PostgreSQL, and the two kinds of transaction on it.

SQLite runs in WAL mode, so readers never wait for the writer. A writing transaction begins with
``BEGIN IMMEDIATE``: it takes the write lock before it reads, and cannot fail half-way because another
connection wrote meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

_AFTER_COMMIT = "database.after_commit"
BUSY_TIMEOUT_MS = 5000  # a backup or an operator's own sqlite3 shell may hold the lock for a while


class Database:
    """An opened database; ``url`` as in the configuration."""

    def __init__(self, url: str, *, foreign_keys: bool = True) -> None:
        self.url = make_url(url)
        if self.url.drivername == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._make_private()
        # A server may have gone away since the connection was last used; a file does not.
        self.engine = create_engine(self.url, pool_pre_ping=not self.is_sqlite)
        if self.is_sqlite:
            _set_up_sqlite(self.engine, foreign_keys)
        self._writer = self.engine.execution_options(writes=True)

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return Path(self.url.database or "")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing."""
        with Session(self.engine, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session committed at the end, or rolled back by an exception."""
        with Session(self._writer, expire_on_commit=False) as session:
            with session.begin():
                yield session
            for then in session.info.get(_AFTER_COMMIT, ()):
                then()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A bare connection in a writing transaction."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; SQLite then folds its WAL into the file."""
        self.engine.dispose()

    def _make_private(self) -> None:
        """Create the file readable by its owner only (security reference G6); -wal and -shm copy its mode."""
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def copy_to(self, target: Path) -> None:
        """Copy the SQLite database, with what its WAL holds, to ``target``."""
        os.close(os.open(target, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
        source, copy = sqlite3.connect(self.path), sqlite3.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()


def after_commit(session: Session, then: Callable[[], None]) -> None:
    """Have ``then`` called when a writing session is committed, in its thread; never when it is rolled back."""
    session.info.setdefault(_AFTER_COMMIT, []).append(then)


def _set_up_sqlite(engine: Engine, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        # No transactions of the driver's own making: `begun` below writes the BEGIN.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
