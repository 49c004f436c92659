"""What the store says of rights, parameters and quotas, read for the calls and read again when it is changed.

Who is in what may be long: it is read again a moment after it was changed, once for all changes of that moment, and not
at all while nobody was given anything. What was given, set or granted is short, and is read before whoever changed it
is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from engine.automates.parameters import DECLARED
from engine.call.entitlements import EntitlementReading
from engine.domain.parameters import Parameters
from engine.domain.rights import Rights
from engine.domain.scope import scoped
from engine.domain.structure import Structure
from engine.store.domain.structures import (
    read_authorisations,
    read_quotas,
    read_settings,
    read_structure,
)
from engine.store.domain.tables import DomainRow
from engine.store.domain.user_tables import UserRow
from engine.store.store import Store
from engine.store.tables import LineRow

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from engine.store_thread import StoreThread

MOMENT = 1.0
AT_ONCE = frozenset({"authorisations", "parameters", "quotas"})
SOON = frozenset({"companies", "domains", "users", "groups", "memberships", "lines"})
log = Logger()


@dataclass(frozen=True, slots=True)
class People:
    """The long half: who is in what, whose each line is, and what they speak."""

    structure: Structure
    users: dict[str, str]
    strangers: dict[int, str]
    cultures: dict[str, str]


def read_people(session: Session) -> People:
    """Read the long half."""
    return People(
        read_structure(session), _users_by_line(session), _first_domains(session), _cultures(session)
    )


def read_entitlements(store: Store, people: People | None = None) -> tuple[EntitlementReading, People | None]:
    """Read all of it, or only the short half; blocks, so call it in the store's thread."""
    with store.database.reading() as session:
        given, set_, granted = (
            read_authorisations(session),
            read_settings(session),
            read_quotas(session),
        )
        if not (given or set_ or granted):
            return EntitlementReading(users=_users_by_line(session)), None
        people = people or read_people(session)
        reading = EntitlementReading(
            Rights(people.structure, given),
            Parameters(DECLARED, people.structure, set_),
            tuple(granted),
            people.users,
            people.strangers,
            people.cultures,
        )
        return reading, people


class EntitlementUpdates:
    """Reads again what was changed. use: takes up a reading."""

    def __init__(
        self,
        clock: IReactorTime,
        thread: StoreThread,
        store: Store,
        use: Callable[[EntitlementReading], None],
    ) -> None:
        self._clock = clock
        self._thread = thread
        self._store = store
        self._use = use
        self._people: People | None = None
        self._later: IDelayedCall | None = None

    async def written(self, noun: str) -> None:
        """Things of this noun were added, changed or removed."""
        if noun in SOON:
            if self._later is None:
                self._later = self._clock.callLater(MOMENT, self._read_soon)
        elif noun in AT_ONCE:
            await self.read(self._later is not None)

    async def read(self, anew: bool = True) -> None:
        """Read now; anew: the long half, too."""
        if anew:
            self.stop()
            self._people = None
        reading, self._people = await self._thread.call(read_entitlements, self._store, self._people)
        self._use(reading)

    def stop(self) -> None:
        """Read nothing later."""
        if self._later is not None and self._later.active():
            self._later.cancel()
        self._later = None

    def _read_soon(self) -> None:
        self._later = None
        Deferred.fromCoroutine(self.read()).addErrback(
            lambda failure: log.failure("rights and parameters cannot be read", failure)
        )


def _users_by_line(session: Session) -> dict[str, str]:
    """The user of each line that has one; the line as calls know it."""
    lines = select(LineRow.number, LineRow.company_id, UserRow.uid).join(
        UserRow, UserRow.id == LineRow.user_id
    )
    return {scoped(number, company): user for number, company, user in session.connection().execute(lines)}


def _first_domains(session: Session) -> dict[int, str]:
    """The first domain of each company."""
    first = select(func.min(DomainRow.id)).group_by(DomainRow.company_id)
    rows = session.execute(select(DomainRow.company_id, DomainRow.uid).where(DomainRow.id.in_(first)))
    return {row.company_id: row.uid for row in rows}


def _cultures(session: Session) -> dict[str, str]:
    """Of users and domains that are not spoken to in English."""
    found: dict[str, str] = {}
    for row in (DomainRow, UserRow):
        others = select(row.uid, row.culture).where(row.culture != "en")
        found.update((each.uid, each.culture) for each in session.connection().execute(others))
    return found
