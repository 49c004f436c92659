"""Runs of imports of users: asking for one starts it, reading it says how far it is and how it went."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Uid
from engine.administration.noun import patch_of
from engine.administration.places import find
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.domain.imports.run_state import RUNNING, UNDER_WAY, WAITING
from engine.store.domain.import_tables import UserImportRow, UserImportRunRow
from engine.store.domain.tables import CompanyRow
from engine.store.errors import InUse, Invalid

LARGEST_CSV = 1 << 20
COUNTS = ("entries", "created", "updated", "unchanged", "disabled", "deleted", "ignored", "spared")
"""What is counted of a run."""

ImportUid = Annotated[str, Meta(max_length=32, description="The import (its uid).")]
DryRun = Annotated[bool, Meta(description="Whether it only says what it would change.")]
Force = Annotated[
    bool, Meta(description="Whether it goes on although too many users are gone from the source.")
]
Csv = Annotated[
    str,
    Meta(max_length=LARGEST_CSV, description="The file, for an import of one: its first row names columns."),
]
Count = Annotated[int, Meta(ge=0)]


class UserImportRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of an import."""

    uid: Uid
    company: CompanyUid
    user_import: ImportUid
    dry_run: DryRun
    force: Force
    started_by: Annotated[str, Meta(description="Who asked for it; schedule: nobody did.")]
    state: Annotated[
        Literal["waiting", "running", "done", "failed", "interrupted"],
        Meta(description="What fails or is interrupted has changed nothing."),
    ]
    stage: Annotated[
        Literal["", "reading", "comparing", "writing"], Meta(description="What a running one does now.")
    ]
    asked_at: Annotated[float, Meta(description="When it was asked for, Unix seconds.")]
    ended_at: Annotated[float | None, Meta(description="When it was over, Unix seconds.")]
    entries: Annotated[Count, Meta(description="Entries read from the source so far.")]
    created: Annotated[Count, Meta(description="Users it has made.")]
    updated: Annotated[Count, Meta(description="Users it has changed.")]
    unchanged: Annotated[Count, Meta(description="Users that were as they should be.")]
    disabled: Annotated[Count, Meta(description="Users it has disabled, as they are gone from the source.")]
    deleted: Annotated[Count, Meta(description="Users it has removed, as they are gone from the source.")]
    ignored: Annotated[Count, Meta(description="Entries of the source it has left out.")]
    spared: Annotated[
        Count,
        Meta(
            description="Users who seem gone and were left alone, as an entry that could not be read may be one."
        ),
    ]
    reason: Annotated[str, Meta(description="Why it failed, as a word; empty when it did not.")]
    detail: Annotated[str, Meta(description="What of, such as the host that could not be reached.")]


class UserImportRunDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new run; it begins when those before it are over."""

    user_import: ImportUid
    dry_run: DryRun = False
    force: Force = False
    csv: Csv | None = None


class UserImportRuns(TableNoun[UserImportRun, UserImportRunRow]):
    """Runs of imports of users; who carries them out is told of each that was written."""

    name = "user-import-runs"
    singular = "user import run"
    prefix = "uir"
    row = UserImportRunRow
    view = UserImportRun
    draft = UserImportRunDraft
    patch = patch_of(UserImportRunDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "user_import": Filter("Those of this import (its uid)."),
        "state": Filter("Those in this state."),
    }
    orders = ("asked_at",)
    multiline = frozenset({"csv"})
    secrets = frozenset({"csv"})  # a file of users is nothing for a log

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        told = {"company", "user_import"}
        plain = (name for name in UserImportRun.__struct_fields__ if name not in told)
        return {
            "company": CompanyRow.uid,
            "user_import": UserImportRow.uid,
            **{name: getattr(UserImportRunRow, name) for name in plain},
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company and its import."""
        return query.join(CompanyRow, CompanyRow.id == UserImportRunRow.company_id).join(
            UserImportRow, UserImportRow.id == UserImportRunRow.import_id
        )

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        match name:
            case "company":
                return equal(CompanyRow.uid, value)
            case "user_import":
                return equal(UserImportRow.uid, value)
        return super().condition(actor, name, value)

    def write(self, session: Session, actor: Actor, row: UserImportRunRow, given: Mapping[str, Any]) -> None:
        """A run is asked for; later nothing of it can be changed."""
        if not row.is_new:
            raise Invalid(next(iter(given), "user_import"), "nothing: a run is as it was asked for")
        source = find(session, actor, UserImportRow, "user import", given["user_import"])
        if (given["csv"] is None) is (source.kind == "csv"):
            raise Invalid("csv", "the file of an import of one, and of no other")
        row.company_id, row.import_id = source.company_id, source.id
        begin(row, actor.name, time.time(), dry_run=given["dry_run"], force=given["force"])
        row.csv = given["csv"]

    def check(self, session: Session, row: UserImportRunRow) -> None:
        """Refuse a second one while the first waits."""
        waiting = select(UserImportRunRow.uid).where(
            UserImportRunRow.import_id == row.import_id, UserImportRunRow.state == WAITING
        )
        if row.is_new and (uid := session.scalar(waiting.limit(1))) is not None:
            raise InUse("user import", "", f"run {uid}, which waits to begin")

    def check_unused(self, session: Session, row: UserImportRunRow) -> None:
        """Refuse to take a run away from who carries it out."""
        if row.state in UNDER_WAY - {WAITING}:
            raise InUse("user import run", row.uid, f"its state {RUNNING}")


def begin(row: UserImportRunRow, actor: str, now: float, *, dry_run: bool, force: bool) -> None:
    """Make ``row`` one that waits."""
    row.dry_run, row.force, row.started_by = dry_run, force, actor
    row.state, row.stage, row.asked_at, row.ended_at = WAITING, "", now, None
    row.reason = row.detail = ""
    for name in COUNTS:
        setattr(row, name, 0)
