"""Whose events somebody may read, and following them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from msgspec import Meta
from sqlalchemy import select

from engine.administration.fields import CompanyUid
from engine.domain.actor import Actor, Role
from engine.domain.identity import LONGEST
from engine.store.domain.tables import CompanyRow
from engine.store.errors import Forbidden, Invalid, NotFound
from engine.store.rules import printable

if TYPE_CHECKING:
    from engine.events.events import EventPage, Events
    from engine.events.feed import Follower
    from engine.events.kinds import Kinds
    from engine.store.database import Database
    from engine.store.event_log import LoggedEvent
    from engine.store_thread import StoreThread

NOUN = "events"
READS = Role.READ_ONLY


class EventView(msgspec.Struct, frozen=True):
    """An event, as readers and webhooks get it."""

    sequence: Annotated[int, Meta(ge=1, description="Its number in the company's log.")]
    at: Annotated[datetime, Meta(description="When it was noted.", tz=True)]
    kind: Annotated[str, Meta(description="The noun and what happened to it.", examples=["users.added"])]
    company: CompanyUid
    subject: Annotated[str, Meta(description="The identity of what it happened to.")]
    data: Annotated[dict[str, Any], Meta(description="What there is to say of it.")]


def view_of(event: LoggedEvent, company: str) -> EventView:
    """As it is told to those who read the events of that company, by its uid."""
    at = datetime.fromtimestamp(event.at, UTC)
    data = cast("dict[str, Any]", msgspec.Raw(event.data))  # JSON already: it goes out as it is
    return EventView(event.sequence, at, event.kind, company, event.subject, data)


@dataclass(frozen=True, slots=True)
class Company:
    """A company with its key and the uid it is known by."""

    id: int
    uid: str


class EventReading:
    """Follows the events of a company for an actor."""

    def __init__(self, database: Database, thread: StoreThread, events: Events) -> None:
        self._database = database
        self._thread = thread
        self._events = events

    async def company(self, actor: Actor, uid: str | None) -> Company:
        """The company of that identity; None: the only one the actor sees.

        Raises Forbidden, NotFound, or Invalid where None could be several.
        """
        if not actor.may(NOUN, writes=False, least=READS):
            raise Forbidden(f"the role {READS.name.lower().replace('_', '-')} and the scope {NOUN}:read")
        return await self._thread.call(self._find, actor, uid)

    async def page(self, company: Company, after: int | None, kinds: Kinds, count: int) -> EventPage:
        """The events after a number; None: none, and where the log ends. Raises UnknownCursor."""
        return await self._events.page(company.id, after, kinds, count)

    async def follow(
        self, company: Company, after: int | None, kinds: Kinds, on_ready: Callable[[], None]
    ) -> Follower:
        """Begin after that number; None: with what happens from now on."""
        return await self._events.follow(company.id, after, kinds, on_ready)

    def _find(self, actor: Actor, uid: str | None) -> Company:
        query = select(CompanyRow.id, CompanyRow.uid)
        if actor.companies is not None:
            query = query.where(CompanyRow.id.in_(sorted(actor.companies)))
        if uid is not None:
            query = query.where(CompanyRow.uid == printable(uid, LONGEST))
        with self._database.reading() as session:
            found = [Company(*row) for row in session.execute(query.limit(2))]
        if uid is not None and not found:
            raise NotFound("company", printable(uid, LONGEST))
        if len(found) != 1:
            raise Invalid("company", "the identity of one of your companies")
        return found[0]
