"""The call journal: read by whoever it concerns, removed by administrators, written by the engine alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, NoReturn

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, RowMapping, Select, and_
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Uid
from engine.administration.noun import patch_of
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor, Role
from engine.store.domain.journal import PREFIX
from engine.store.domain.journal_table import JournalRow
from engine.store.domain.tables import CompanyRow
from engine.store.errors import Forbidden

Direction = Literal["in", "out", "missed"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is over, in the journal of one number: of a line, an automate or a room."""

    uid: Uid
    company: CompanyUid
    line: Annotated[str, Meta(description="The number whose journal it is in.", examples=["200"])]
    user: Annotated[str | None, Meta(description="The uid of the line's user then; null: it had none.")]
    direction: Annotated[
        Direction, Meta(description="in: it was called and answered; missed: it was not; out: it called.")
    ]
    number: Annotated[str, Meta(description="The other side's number; empty when it called anonymously.")]
    name: Annotated[str, Meta(description="What the other side is called, as far as is known.")]
    started_at: Annotated[datetime, Meta(tz=True, description="When it began to ring.")]
    seconds: Annotated[float, Meta(description="How long it was up; 0 when nobody answered.")]
    answered_by: Annotated[str, Meta(description="The number that answered; empty when none did.")]
    mos: Annotated[
        float | None,
        Meta(
            description="How the line's side sounded, as a mean opinion score (G.107), 1 to 4.5; null: too short."
        ),
    ]
    recording: Annotated[str, Meta(description="The name of its recording; empty when it was not recorded.")]


class CallDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Nothing: the engine writes the journal itself."""


class Calls(TableNoun[Call, JournalRow]):
    """The call journal."""

    name = "calls"
    singular = "call"
    prefix = PREFIX
    row = JournalRow
    view = Call
    draft = CallDraft
    patch = patch_of(CallDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "user": Filter("Those of this user (her uid)."),
        "line": Filter("Those in the journal of this number."),
        "direction": Filter("Those that came in, went out or were missed.", Direction),
    }
    search = ("number", "name", "answered_by")
    orders = ("started_at", "seconds")
    reads = Role.USER
    engine_writes = True

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        own = {name: getattr(self.row, name) for name in self.view.__struct_fields__ if name != "company"}
        return {**own, "company": CompanyRow.uid}

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company."""
        return query.join(CompanyRow, CompanyRow.id == JournalRow.company_id)

    def visible(self, actor: Actor) -> ColumnElement[bool]:
        """A user sees her own; whoever administers sees those of her companies."""
        if actor.role > Role.USER:
            return super().visible(actor)
        return and_(super().visible(actor), JournalRow.user == (actor.user or ""))

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        if name == "company":
            return equal(CompanyRow.uid, value)
        return super().condition(actor, name, value)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[Call]:
        """With its time as one."""
        names = [name for name in self.columns() if name != "started_at"]
        return [
            Call(
                **{name: row[name] for name in names},
                started_at=datetime.fromtimestamp(row["started_at"], UTC),
            )
            for row in rows
        ]

    def write(self, session: Session, actor: Actor, row: JournalRow, given: Mapping[str, Any]) -> NoReturn:
        """Refuse it."""
        raise Forbidden("nobody: the engine writes the journal")
