"""The store: the one object through which the engine reads and writes its database.

Its methods block, so the reactor calls them in threads, and writes in one thread.
"""

from __future__ import annotations

from pathlib import Path

from engine.store.admins import Admins, Secrets
from engine.store.bindings import Bindings
from engine.store.database import Database
from engine.store.files import Prompts, Recordings
from engine.store.links import Links
from engine.store.migrate import upgrade
from engine.store.numbers import AutomateRanges, Lines


class Store:
    """An opened store; its collections are attributes, each with list, get, add, update and remove."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.backup: Path | None = None  # the copy made by the last `open`, when it migrated a SQLite file

    def open(self) -> None:
        """Migrate the database to this version, then open it.

        Raises NewerStore, or what SQLAlchemy raises when there is no database to be reached.
        """
        self.backup = upgrade(self._url)
        self._database = Database(self._url)
        self.links = Links(self._database)
        self.automate_ranges = AutomateRanges(self._database)
        self.lines = Lines(self._database)
        self.bindings = Bindings(self._database)
        self.prompts = Prompts(self._database)
        self.recordings = Recordings(self._database)
        self.admins = Admins(self._database)
        self.secrets = Secrets(self._database)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()
