"""A store with this version's tables and nothing in them: migrations take most of an engine's first start."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from engine.store.migrate import upgrade

STORE = "store.sqlite3"


@cache
def migrated_store() -> Path:
    """A SQLite file of this process's own, to be copied."""
    folder = tempfile.mkdtemp(prefix="polyphony-migrated-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / STORE
    upgrade(f"sqlite:///{path}")
    return path


def lay_out(data: Path) -> None:
    """Put such a store into a data directory that has none."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (data / STORE).exists():
        shutil.copy(migrated_store(), data / STORE)
        (data / STORE).chmod(0o600)
