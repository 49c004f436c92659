"""The store: the one object through which the engine reads and writes its database.

Its methods block, so the reactor calls them in threads, and writes in one thread.
"""

from __future__ import annotations

from pathlib import Path

from engine.store.admins import Admins, Secrets
from engine.store.audit import Audit
from engine.store.bindings import Bindings
from engine.store.calls import Calls
from engine.store.conferences.journal import ConferenceJournal
from engine.store.conferences.meetings import PlannedMeetings
from engine.store.conferences.policies import ConferencePolicies
from engine.store.conferences.rooms import ConferenceRooms, RoomRanges
from engine.store.database import Database
from engine.store.domain import import_tables, rights_tables, user_tables  # noqa: F401  # migrations compare them
from engine.store.domain.account_changes import AccountChanges
from engine.store.domain.bearers import ApiTokens, Sessions
from engine.store.domain.companies import Companies
from engine.store.domain.dial_plans import DialPlans
from engine.store.domain.journal import Journal
from engine.store.domain.second_factors import SecondFactors
from engine.store.domain.user_accounts import UserAccounts
from engine.store.event_log import EventLog
from engine.store.events.webhooks import Webhooks
from engine.store.files import Prompts, Recordings
from engine.store.links import Links
from engine.store.mails import Mails
from engine.store.migrate import upgrade, upgrade_apart
from engine.store.numbers import AutomateRanges, Lines


class Store:
    """An opened store; its collections are attributes, each with list, get, add, update and remove."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database: Database | None = None
        self.backup: Path | None = None  # the copy made by the last `open`, when it migrated a SQLite file

    def open(self, *, apart: bool = False) -> None:
        """Migrate the database to this version (``apart``: in a process of its own), then open it.

        Raises NewerStore, or what SQLAlchemy raises when there is no database to be reached.
        """
        self.backup = upgrade_apart(self._url) if apart else upgrade(self._url)
        self._database = database = Database(self._url)
        self.companies = Companies(database)
        self.events = EventLog(database)
        self.links = Links(database)
        self.automate_ranges = AutomateRanges(database)
        self.lines = Lines(database)
        self.bindings = Bindings(database)
        self.prompts = Prompts(database)
        self.recordings = Recordings(database)
        self.calls = Calls(database, self.events)
        self.call_journal = Journal(database)
        self.rooms = ConferenceRooms(database)
        self.room_ranges = RoomRanges(database)
        self.meeting_policies = ConferencePolicies(database)
        self.planned_meetings = PlannedMeetings(database)
        self.conference_journal = ConferenceJournal(database, self.events)
        self.mails = Mails(database)
        self.dial_plans = DialPlans(database)
        self.audit = Audit(database)
        self.webhooks = Webhooks(database)
        self.admins = Admins(database)
        self.api_tokens = ApiTokens(database)
        self.sessions = Sessions(database)
        self.user_accounts = UserAccounts(database)
        self.account_changes = AccountChanges()
        self.second_factors = SecondFactors(database, self.account_changes, self.audit)
        self.secrets = Secrets(database)

    @property
    def database(self) -> Database:
        """The opened database, for those who write several tables in one transaction."""
        if self._database is None:
            raise RuntimeError("the store is not open")
        return self._database

    def close(self) -> None:
        """Close every connection; a store that could not be opened has none."""
        if self._database is not None:
            self._database.close()
