"""The tables of authorisations, of parameters that are set, and of quotas.

Who has something, or is it, is kept by its identity, which is what lists show, and by its key, by which it takes
everything along when it is removed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.identity import LONGEST
from engine.store.domain.tables import CompanyNounRow
from engine.store.tables import NounRow

LONGEST_NAME = 64
"""Characters of a parameter's full name, at most."""


class AuthorisationRow(CompanyNounRow):
    """That a grantee may use an object."""

    __tablename__ = "authorisations"
    __table_args__ = (UniqueConstraint("grantee", "kind", "object"),)
    grantee: Mapped[str] = mapped_column(String(LONGEST))
    grantee_user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    grantee_group_id: Mapped[int | None] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16))
    object: Mapped[str] = mapped_column(String(LONGEST), index=True)
    object_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    object_group_id: Mapped[int | None] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), index=True
    )
    object_domain_id: Mapped[int | None] = mapped_column(
        ForeignKey("domains.id", ondelete="CASCADE"), index=True
    )


class ParameterRow(CompanyNounRow):
    """The value a domain, a group or a user has of a parameter."""

    __tablename__ = "parameters"
    __table_args__ = (UniqueConstraint("owner", "name"),)
    owner: Mapped[str] = mapped_column(String(LONGEST))
    owner_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    owner_group_id: Mapped[int | None] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), index=True
    )
    owner_domain_id: Mapped[int | None] = mapped_column(
        ForeignKey("domains.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), index=True)
    value: Mapped[Any] = mapped_column(JSON)


class QuotaRow(NounRow):
    """How much of an application a company may use; NULL where it is not bounded."""

    __tablename__ = "quotas"
    __table_args__ = (UniqueConstraint("company_id", "application"),)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    application: Mapped[str] = mapped_column(String(32), index=True)
    channels: Mapped[int | None]
    users: Mapped[int | None]
