"""The tables of administrators, and of what they show instead of a password."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.identity import LONGEST
from engine.store.tables import Base, NounRow, Row


class AdminRow(NounRow):
    """An administrator. ``all_companies``: of the whole engine; else of those in ``admin_companies``."""

    __tablename__ = "admins"
    name: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16))
    all_companies: Mapped[bool]
    culture: Mapped[str] = mapped_column(String(8))
    enabled: Mapped[bool]


class AdminCompanyRow(Base):
    """A company that an administrator is limited to, one of them."""

    __tablename__ = "admin_companies"
    admin_id: Mapped[int] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), primary_key=True)
    company_id: Mapped[int] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class ApiTokenRow(NounRow):
    """What a program shows; ``digest`` is all that is kept of it. Times are Unix seconds."""

    __tablename__ = "api_tokens"
    admin_id: Mapped[int] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column(JSON)
    created_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(index=True)
    used_at: Mapped[float | None]


class SessionRow(Row):
    """A browser that somebody has signed in with, an administrator or a user.

    Times are Unix seconds; ``ends_at`` whatever is done with it.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(admin_id IS NULL) <> (user_id IS NULL)", name="ck_sessions_one_holder"),
    )
    uid: Mapped[str] = mapped_column(String(LONGEST), unique=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    admin_id: Mapped[int | None] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float]
    seen_at: Mapped[float]
    ends_at: Mapped[float] = mapped_column(index=True)


class AdminFactorRow(Base):
    """What an administrator's one-time codes are checked by. ``recovery``: hashes of the codes that are left."""

    __tablename__ = "admin_factors"
    admin_id: Mapped[int] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(64))
    confirmed: Mapped[bool]
    last_step: Mapped[int]
    recovery: Mapped[list[Any]] = mapped_column(JSON)
