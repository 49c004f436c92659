"""Fixtures of the engine's tests: a store, on each database it runs on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text

from engine.store import Store
from engine.store.tables import Base
from tests.engine.postgresql import PostgresqlServer
from tests.migrated_store import migrated_store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; the test runs once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite3'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(scope="session")
def migrated_file() -> Path:
    """A SQLite file with the tables of this version."""
    return migrated_store()


@pytest.fixture
def store(request: pytest.FixtureRequest, store_url: str) -> Iterator[Store]:
    """An opened, empty store; its tables are copied, since migrations take most of a test's time."""
    if store_url.startswith("sqlite:///"):
        shutil.copy(request.getfixturevalue("migrated_file"), store_url.removeprefix("sqlite:///"))
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        server.migrate(store_url)
    store = Store(store_url)
    store.open()
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgresql_store(postgresql_server: PostgresqlServer) -> Iterator[Store]:
    """An opened store of all tests of this process; each leaves it as it was."""
    url = postgresql_server.new_database()
    postgresql_server.migrate(url)
    store = Store(url)
    store.open()
    yield store
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))])
def common_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An opened store with nothing but what every store begins with: on PostgreSQL much faster to have than ``store``.

    There it is one database for all tests, emptied after each.
    """
    if request.param == "sqlite":
        path = tmp_path / "store.sqlite3"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        store = Store(f"sqlite:///{path}")
        store.open()
        yield store
        store.close()
        return
    store = request.getfixturevalue("postgresql_store")
    with store.database.connection() as connection:
        first = {
            table: connection.execute(select(table)).mappings().all() for table in Base.metadata.sorted_tables
        }
    yield store
    with store.database.connection() as connection:
        for table in reversed(first):
            connection.execute(delete(table))
        for table, rows in first.items():
            if rows:
                connection.execute(insert(table), [dict(each) for each in rows])
            if "id" in table.c:
                newest = max((each["id"] for each in rows), default=0)
                connection.execute(
                    text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :key, :taken)"),
                    {"table": table.name, "key": max(newest, 1), "taken": newest > 0},
                )
