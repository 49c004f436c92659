"""What became of each user in a run of an import; of a dry run, what would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Uid
from engine.administration.noun import patch_of
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.store.domain.import_tables import UserImportOutcomeRow, UserImportRunRow
from engine.store.domain.tables import CompanyRow
from engine.store.errors import Forbidden

Action = Literal["created", "updated", "disabled", "deleted", "ignored"]


class UserImportOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report."""

    uid: Uid
    company: CompanyUid
    run: Annotated[str, Meta(description="The run (its uid).")]
    action: Annotated[Action, Meta(description="What became of the user, or of the entry.")]
    login: Annotated[str, Meta(description="Her login; empty where the entry has none.")]
    reference: Annotated[str, Meta(description="Where it stands in the source: a DN, or the row of a file.")]
    reason: Annotated[
        str, Meta(description="Why, as a word: taken, invalid, gone, twice...; empty for none.")
    ]
    field: Annotated[str, Meta(description="Of which field, where it is one's.")]
    changes: Annotated[
        dict[str, Any], Meta(description="Field to the pair of what it was and what it becomes.")
    ]


class NoDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Nothing: outcomes are written by runs."""


class UserImportOutcomes(TableNoun[UserImportOutcome, UserImportOutcomeRow]):
    """The lines of reports."""

    name = "user-import-outcomes"
    singular = "user import outcome"
    prefix = "uio"
    row = UserImportOutcomeRow
    view = UserImportOutcome
    draft = NoDraft
    patch = patch_of(NoDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "run": Filter("Those of this run (its uid)."),
        "action": Filter("Those of this kind.", Action),
        "login": Filter("That of the user with this login."),
    }
    orders = ("login",)

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        told = {"company", "run"}
        plain = (name for name in UserImportOutcome.__struct_fields__ if name not in told)
        return {
            "company": CompanyRow.uid,
            "run": UserImportRunRow.uid,
            **{name: getattr(UserImportOutcomeRow, name) for name in plain},
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company and its run."""
        return query.join(CompanyRow, CompanyRow.id == UserImportOutcomeRow.company_id).join(
            UserImportRunRow, UserImportRunRow.id == UserImportOutcomeRow.run_id
        )

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(UserImportRunRow.uid, value) if name == "run" else super().condition(actor, name, value)

    def write(
        self, session: Session, actor: Actor, row: UserImportOutcomeRow, given: Mapping[str, Any]
    ) -> None:
        """Refuse: a report says what was."""
        raise Forbidden("nobody: a report says what was")

    def check_unused(self, session: Session, row: UserImportOutcomeRow) -> None:
        """Refuse: a report goes as a whole."""
        raise Forbidden("nobody: a report goes with its run")
