"""The tables of users, groups, and who is in which group."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.folding import LONGEST_FOLDED
from engine.store.domain.tables import CompanyNounRow


class UserRow(CompanyNounRow):
    """A user. Her login stands once in her company."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("company_id", "login_folded"),
        # lists of one company, and those of the super user
        Index("ix_users_company_id_last_name_folded", "company_id", "last_name_folded"),
        Index("ix_users_last_name_folded", "last_name_folded"),
        Index("ix_users_login_folded", "login_folded"),
    )
    domain_id: Mapped[int] = mapped_column(ForeignKey("domains.id", ondelete="RESTRICT"), index=True)
    login: Mapped[str] = mapped_column(String(128))
    login_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED))
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    last_name_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED))
    email: Mapped[str] = mapped_column(String(254))
    email_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED), index=True)
    mobile: Mapped[str] = mapped_column(String(32))
    culture: Mapped[str] = mapped_column(String(8))
    enabled: Mapped[bool]
    password: Mapped[str | None] = mapped_column(String(255))  # its hash
    voicemail_pin: Mapped[str | None] = mapped_column(String(255))  # its hash
    custom_1: Mapped[str] = mapped_column(String(255))
    custom_2: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(255), index=True)
    search_text: Mapped[str] = mapped_column(Text)


class GroupRow(CompanyNounRow):
    """A group of users and groups of its company."""

    __tablename__ = "groups"
    __table_args__ = (UniqueConstraint("domain_id", "name_folded"),)
    domain_id: Mapped[int] = mapped_column(ForeignKey("domains.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED), index=True)
    description: Mapped[str] = mapped_column(String(255))
    search_text: Mapped[str] = mapped_column(Text)


class MembershipRow(CompanyNounRow):
    """That a user, or a group, is in a group."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("group_id", "user_id"),
        UniqueConstraint("group_id", "member_group_id"),
        CheckConstraint("(user_id IS NULL) <> (member_group_id IS NULL)", name="ck_memberships_one_member"),
    )
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    member_group_id: Mapped[int | None] = mapped_column(
        ForeignKey("groups.id", ondelete="CASCADE"), index=True
    )
