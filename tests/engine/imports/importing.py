"""A store with a domain, imports of it, and who is in it; for the tests of imports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from engine.administration.catalogue import nouns
from engine.administration.query import Query
from engine.administration.user_import_outcomes import UserImportOutcome, UserImportOutcomes
from engine.administration.user_import_runs import UserImportRun, UserImportRunDraft, UserImportRuns
from engine.administration.user_imports import UserImport, UserImportDraft, UserImports
from engine.administration.users import User, UserDraft, Users
from engine.domain.actor import LOCAL
from engine.imports.run import runner
from engine.store import Store
from engine.store.domain.import_tables import UserImportRunRow
from tests.ldap_server import PEOPLE, LdapServer

CSV_FIELDS = {"login": "login", "first_name": "first", "last_name": "last", "email": "mail"}
AD_FIELDS = {
    "login": "sAMAccountName",
    "first_name": "givenName",
    "last_name": "sn",
    "email": "mail|userPrincipalName",
    "custom_1": "{department}/{title}",
}


class Importing:
    """Imports into the only domain of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        found = {type(each): each for each in nouns(store)}
        self.users: Users = found[Users]  # type: ignore[assignment]  # by its own type
        self.imports: UserImports = found[UserImports]  # type: ignore[assignment]
        self.runs: UserImportRuns = found[UserImportRuns]  # type: ignore[assignment]
        self.outcomes: UserImportOutcomes = found[UserImportOutcomes]  # type: ignore[assignment]

    def file(self, mode: str = "insert-update-delete", **fields: Any) -> UserImport:
        """An import of files."""
        given = {"name": "file", "kind": "csv", "fields": CSV_FIELDS, "mode": mode, **fields}
        return self.imports.add(LOCAL, UserImportDraft(**given)).view

    def directory(self, server: LdapServer, mode: str = "insert-update-delete", **fields: Any) -> UserImport:
        """An import of the people of a directory."""
        given = {
            "name": "directory",
            "kind": "active-directory",
            "fields": AD_FIELDS,
            "mode": mode,
            "host": "localhost",
            "port": server.tls_port,
            "authority": server.authority.read_text(),
            "bind_dn": server.manager,
            "password": server.password,
            "base": PEOPLE,
            "filter": "(objectClass=user)",
            **fields,
        }
        return self.imports.add(LOCAL, UserImportDraft(**given)).view

    def run(self, source: UserImport, csv: str | None = None, **asked: bool) -> UserImportRun:
        """Ask for a run and carry it out; how it went."""
        run = self.ask(source, csv, **asked)
        runner(self.store.database).run(self.key_of(run))
        return self.runs.get(LOCAL, run.uid).view

    def ask(self, source: UserImport, csv: str | None = None, **asked: bool) -> UserImportRun:
        """Ask for a run."""
        return self.runs.add(LOCAL, UserImportRunDraft(user_import=source.uid, csv=csv, **asked)).view

    def key_of(self, run: UserImportRun) -> int:
        """The key of a run that was asked for."""
        with self.store.database.reading() as session:
            return session.scalars(select(UserImportRunRow.id).where(UserImportRunRow.uid == run.uid)).one()

    def add(self, login: str, **fields: Any) -> User:
        """A user made by a person."""
        return self.users.add(LOCAL, UserDraft(login=login, **fields)).view

    def everybody(self) -> dict[str, User]:
        """The users, by login."""
        return {each.login: each for each in self._all(self.users)}

    def report(self, run: UserImportRun) -> dict[str, UserImportOutcome]:
        """The lines of a run's report, by login."""
        return {each.login: each for each in self._all(self.outcomes, run=run.uid)}

    def _all(self, noun: Any, **filters: str) -> Iterator[Any]:
        query = Query(limit=1000, filters=filters)
        page = noun.page(LOCAL, query)
        assert page.next is None
        yield from page.items


def counts(run: UserImportRun) -> tuple[int, int, int, int, int, int]:
    """Created, updated, unchanged, disabled, deleted, ignored."""
    return run.created, run.updated, run.unchanged, run.disabled, run.deleted, run.ignored
