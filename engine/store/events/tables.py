"""The tables of the event log and of the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables import Base, Row


class EventSequenceRow(Base):
    """How far a company's log has come; whoever appends holds this row until the commit, so no number is left out."""

    __tablename__ = "event_sequences"
    company_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    newest: Mapped[int] = mapped_column(BigInteger)


class EventRow(Base):
    """``LoggedEvent``."""

    __tablename__ = "events"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  # as SQLAlchemy reads it; the key is how it is read
    company_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[float]
    kind: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(255))
    data: Mapped[str] = mapped_column(Text)  # JSON as it goes to readers: encoded once


class AuditRow(Row):
    """``AuditEntry``."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_company_id_id", "company_id", "id"),)
    company_id: Mapped[int | None]  # None: of no company, or of one that is removed
    at: Mapped[float] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(255))
    changes: Mapped[str] = mapped_column(Text)  # JSON
