"""Stores: on SQLite alone, each a copy of one that was migrated. What databases differ in is tested with the nouns."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store import Store
from engine.store.migrate import upgrade


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store."""
    path = tmp_path_factory.mktemp("authentication") / "store.sqlite3"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def store(migrated: Path, tmp_path: Path) -> Iterator[Store]:
    """An opened, empty store of the test's own."""
    store = Store(f"sqlite:///{shutil.copy(migrated, tmp_path)}")
    store.open()
    yield store
    store.close()
