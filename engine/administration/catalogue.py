"""Every noun there is: what the REST API, its description, the commands and the tests of rights walk over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.administration.administrators import Administrators
from engine.administration.api_tokens import ApiTokens
from engine.administration.audit_entries import AuditEntries
from engine.administration.authentication_methods import AuthenticationMethods
from engine.administration.authorisations import Authorisations
from engine.administration.calls import Calls
from engine.administration.companies import Companies
from engine.administration.dial_rules import DialRules
from engine.administration.domains import Domains
from engine.administration.groups import Groups
from engine.administration.lines import REALM, Lines
from engine.administration.memberships import Memberships
from engine.administration.notes import Notes, StoreNotes
from engine.administration.noun import Noun
from engine.administration.parameters import ParametersNoun
from engine.administration.quotas import Quotas
from engine.administration.user_import_outcomes import UserImportOutcomes
from engine.administration.user_import_runs import UserImportRuns
from engine.administration.user_imports import UserImports
from engine.administration.users import Users
from engine.administration.webhooks import DeadLetters, Webhooks
from engine.automates.parameters import DECLARED
from engine.domain.quotas import Share
from engine.store.store import Store


def _unused(_share: Share) -> int:
    return 0


def nouns(
    store: Store,
    notes: Notes | None = None,
    channels_used: Callable[[Share], int] = _unused,
    realm: str = REALM,
) -> list[Noun[Any]]:
    """The nouns over an opened store, in the order in which they are shown.

    notes: where changes are noted, instead of the store's own logs. channels_used: of the running engine's calls.
    realm: the one lines are challenged with (``sip.realm``).
    """
    database, notes = store.database, notes or StoreNotes(store)
    lines = Lines(database, notes, realm)
    return [
        Companies(database, notes, store.account_changes),
        Domains(database, notes),
        DialRules(database, notes),
        Users(database, notes, lines),
        lines,
        Groups(database, notes),
        Memberships(database, notes),
        UserImports(database, notes),
        UserImportRuns(database, notes),
        UserImportOutcomes(database, notes),
        AuthenticationMethods(database, notes),
        Calls(database, notes),
        Administrators(database, notes, store.account_changes),
        ApiTokens(database, notes, store.account_changes),
        Authorisations(database, notes),
        ParametersNoun(database, notes, DECLARED),
        Quotas(database, notes, channels_used),
        Webhooks(database, notes),
        DeadLetters(database, notes),
        AuditEntries(database, notes),
    ]
