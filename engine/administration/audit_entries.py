"""The audit log: who changed what, when. Read by administrators, written by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, RowMapping, Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import Uid
from engine.administration.noun import patch_of
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor, Role
from engine.store.domain.tables import CompanyRow
from engine.store.errors import Forbidden
from engine.store.events.tables import AuditRow

Subject = Annotated[str, Meta(description="The identity of what was changed.")]


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A change."""

    uid: Uid
    company: Annotated[str | None, Meta(description="Whose; null: of no company, or of one that is removed.")]
    at: Annotated[datetime, Meta(tz=True, description="When it was made.")]
    actor: Annotated[str, Meta(description="By whom.", examples=["admin:jane"])]
    action: Annotated[
        str, Meta(description="What was done to what kind of thing.", examples=["users.changed"])
    ]
    subject: Subject
    changes: Annotated[
        dict[str, Any],
        Meta(
            description="Field to the pair of what it was and what it became; three asterisks for a secret."
        ),
    ]


class NoDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Nothing: entries are written with the changes they tell of."""


class AuditEntries(TableNoun[AuditEntry, AuditRow]):
    """Entries of the audit log."""

    name = "audit"
    singular = "audit entry"
    prefix = "aud"
    row = AuditRow
    view = AuditEntry
    draft = NoDraft
    patch = patch_of(NoDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "actor": Filter("Those by this actor, such as admin:jane."),
        "action": Filter("Those of this kind, such as users.changed."),
        "subject": Filter("Those of the thing with this uid."),
    }
    orders = ("at",)
    reads = Role.ADMINISTRATOR

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        row = self.row
        plain = ("uid", "at", "actor", "action", "subject", "changes")
        return {"company": CompanyRow.uid, **{name: getattr(row, name) for name in plain}}

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company, if it has one."""
        return query.outerjoin(CompanyRow, CompanyRow.id == AuditRow.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(CompanyRow.uid, value) if name == "company" else super().condition(actor, name, value)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[AuditEntry]:
        """See ``TableNoun``."""
        return [
            AuditEntry(
                uid=row["uid"],
                company=row["company"],
                at=datetime.fromtimestamp(row["at"], UTC),
                actor=row["actor"],
                action=row["action"],
                subject=row["subject"],
                changes=msgspec.json.decode(row["changes"]),
            )
            for row in rows
        ]

    def write(self, session: Session, actor: Actor, row: AuditRow, given: Mapping[str, Any]) -> None:
        """Refuse: it says what was."""
        raise Forbidden("nobody: the audit log says what was")

    def check_unused(self, session: Session, row: AuditRow) -> None:
        """Refuse: it goes by age."""
        raise Forbidden("nobody: the audit log says what was")
