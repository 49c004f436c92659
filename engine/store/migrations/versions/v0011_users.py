"""Users, groups, and who is in which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty tables."""
    create_users()
    create_groups()
    create_memberships()


def create_users() -> None:
    """Users."""
    op.create_table(
        "users",
        *_noun("users"),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=128), nullable=False),
        sa.Column("login_folded", sa.String(length=255), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("last_name_folded", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_folded", sa.String(length=255), nullable=False),
        sa.Column("mobile", sa.String(length=32), nullable=False),
        sa.Column("culture", sa.String(length=8), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("voicemail_pin", sa.String(length=255), nullable=True),
        sa.Column("custom_1", sa.String(length=255), nullable=False),
        sa.Column("custom_2", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        _domain("users"),
        sa.UniqueConstraint("company_id", "login_folded", name=op.f("uq_users_company_id_login_folded")),
    )
    for column in ("company_id", "domain_id", "login_folded", "last_name_folded", "email_folded", "address"):
        op.create_index(op.f(f"ix_users_{column}"), "users", [column], unique=False)
    op.create_index(
        "ix_users_company_id_last_name_folded", "users", ["company_id", "last_name_folded"], unique=False
    )


def create_groups() -> None:
    """Groups."""
    op.create_table(
        "groups",
        *_noun("groups"),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        _domain("groups"),
        sa.UniqueConstraint("domain_id", "name_folded", name=op.f("uq_groups_domain_id_name_folded")),
    )
    for column in ("company_id", "domain_id", "name_folded"):
        op.create_index(op.f(f"ix_groups_{column}"), "groups", [column], unique=False)


def create_memberships() -> None:
    """Who is in which group: a user or a group, one of the two."""
    op.create_table(
        "memberships",
        *_noun("memberships"),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("member_group_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (member_group_id IS NULL)", name=op.f("ck_memberships_one_member")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_memberships_{column}"), ondelete="CASCADE"
            )
            for column, table in (("group_id", "groups"), ("user_id", "users"), ("member_group_id", "groups"))
        ),
        sa.UniqueConstraint("group_id", "user_id", name=op.f("uq_memberships_group_id_user_id")),
        sa.UniqueConstraint(
            "group_id", "member_group_id", name=op.f("uq_memberships_group_id_member_group_id")
        ),
    )
    for column in ("company_id", "user_id", "member_group_id"):
        op.create_index(op.f(f"ix_memberships_{column}"), "memberships", [column], unique=False)


def _noun(table: str) -> list[sa.schema.SchemaItem]:
    """What every table of things that are administered begins with."""
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("uid", name=op.f(f"uq_{table}_uid")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f(f"fk_{table}_company_id"), ondelete="RESTRICT"
        ),
    ]


def _domain(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["domain_id"], ["domains.id"], name=op.f(f"fk_{table}_domain_id"), ondelete="RESTRICT"
    )
