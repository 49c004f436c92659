"""The tables of the event log, of the audit log and of webhooks."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.folding import LONGEST_FOLDED
from engine.store.domain.tables import CompanyNounRow
from engine.store.tables import Base, NounRow


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


class AuditRow(NounRow):
    """Who changed what."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_company_id_id", "company_id", "id"),)
    company_id: Mapped[int] = mapped_column(nullable=True)  # none: of no company, or of one that is removed
    at: Mapped[float] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(128))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(255))
    changes: Mapped[str] = mapped_column(Text)  # JSON


class WebhookRow(CompanyNounRow):
    """A webhook, and how far it is."""

    __tablename__ = "webhooks"
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED))
    url: Mapped[str] = mapped_column(String(1024))
    kinds: Mapped[list[str]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(String(128))
    enabled: Mapped[bool]
    cursor: Mapped[int] = mapped_column(BigInteger)  # the number of the last event that is done with
    missed: Mapped[int] = mapped_column(BigInteger)  # events that were not kept until it could have them
    failing_since: Mapped[float | None]
    error: Mapped[str] = mapped_column(String(255))


class DeadLetterRow(CompanyNounRow):
    """An event that a webhook's receiver has refused."""

    __tablename__ = "webhook_dead_letters"
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[float]
    kind: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(255))
    data: Mapped[str] = mapped_column(Text)
    given_up_at: Mapped[float]
    error: Mapped[str] = mapped_column(String(255))
