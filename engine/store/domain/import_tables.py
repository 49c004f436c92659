"""The tables of imports of users: what is imported, its runs, what became of each user, and whose a user is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.folding import LONGEST_FOLDED
from engine.store.domain.tables import CompanyNounRow
from engine.store.tables import Base


class UserImportRow(CompanyNounRow):
    """Where users of a domain come from, and what is made of them."""

    __tablename__ = "user_imports"
    domain_id: Mapped[int] = mapped_column(ForeignKey("domains.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int | None]
    security: Mapped[str] = mapped_column(String(16))
    authority: Mapped[str] = mapped_column(Text)
    bind_dn: Mapped[str] = mapped_column(String(1024))
    password: Mapped[str | None] = mapped_column(String(255))
    base: Mapped[str] = mapped_column(String(1024))
    filter: Mapped[str] = mapped_column(String(1024))
    members_of: Mapped[str] = mapped_column(String(1024))
    page_size: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
    enabled_column: Mapped[str] = mapped_column(String(64))
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    mode: Mapped[str] = mapped_column(String(32))
    disabled_accounts: Mapped[str] = mapped_column(String(16))
    largest_share: Mapped[int]
    group_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id", ondelete="RESTRICT"), index=True)
    culture: Mapped[str | None] = mapped_column(String(8))
    schedule: Mapped[str] = mapped_column(String(32))
    time_zone: Mapped[str] = mapped_column(String(64))
    enabled: Mapped[bool]
    scheduled_from: Mapped[float]  # Unix seconds: what its next turn is reckoned from


class ImportedUserRow(Base):
    """Whose a user is: the import that made or took her. Without one she was made by a person."""

    __tablename__ = "imported_users"
    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    import_id: Mapped[int] = mapped_column(ForeignKey("user_imports.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(String(255))
    disabled_here: Mapped[bool]


class UserImportRunRow(CompanyNounRow):
    """One run of an import; times are Unix seconds."""

    __tablename__ = "user_import_runs"
    import_id: Mapped[int] = mapped_column(ForeignKey("user_imports.id", ondelete="CASCADE"), index=True)
    dry_run: Mapped[bool]
    force: Mapped[bool]
    started_by: Mapped[str] = mapped_column(String(128))
    csv: Mapped[str | None] = mapped_column(Text)  # until it is read
    state: Mapped[str] = mapped_column(String(16), index=True)
    stage: Mapped[str] = mapped_column(String(16))
    asked_at: Mapped[float] = mapped_column(index=True)
    ended_at: Mapped[float | None]
    entries: Mapped[int]
    created: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    disabled: Mapped[int]
    deleted: Mapped[int]
    ignored: Mapped[int]
    spared: Mapped[int]
    reason: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(255))


class UserImportOutcomeRow(CompanyNounRow):
    """What became of one user in a run; of those that stayed as they are only the number is kept."""

    __tablename__ = "user_import_outcomes"
    __table_args__ = (Index("ix_user_import_outcomes_run_id_id", "run_id", "id"),)
    run_id: Mapped[int] = mapped_column(ForeignKey("user_import_runs.id", ondelete="CASCADE"))
    action: Mapped[str] = mapped_column(String(16))
    login: Mapped[str] = mapped_column(String(255))
    reference: Mapped[str] = mapped_column(String(1024))
    reason: Mapped[str] = mapped_column(String(32))
    field: Mapped[str] = mapped_column(String(32))
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
