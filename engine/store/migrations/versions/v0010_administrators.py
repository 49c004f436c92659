"""Administrators have a role and companies, and may have API tokens and sessions. Those there are stay super users."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def upgrade() -> None:
    """The columns first without values, then filled, then never empty."""
    widen_admins()
    op.create_table(
        "admin_companies",
        sa.Column("admin_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["admin_id"], ["admins.id"], name=op.f("fk_admin_companies_admin_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_admin_companies_company_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("admin_id", "company_id", name=op.f("pk_admin_companies")),
    )
    op.create_index(op.f("ix_admin_companies_company_id"), "admin_companies", ["company_id"], unique=False)
    create_bearers()


def widen_admins() -> None:
    """Role, companies, and what every thing that is administered has."""
    with op.batch_alter_table("admins") as batch:
        batch.add_column(sa.Column("uid", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("version", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("role", sa.String(length=16), nullable=True))
        batch.add_column(sa.Column("all_companies", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("culture", sa.String(length=8), nullable=True))
        batch.add_column(sa.Column("enabled", sa.Boolean(), nullable=True))
    admins = sa.table(
        "admins",
        *(
            sa.column(name)
            for name in ("id", "uid", "version", "role", "all_companies", "culture", "enabled")
        ),
    )
    connection = op.get_bind()
    first = {"version": 1, "role": "super", "all_companies": True, "culture": "en", "enabled": True}
    for key in connection.scalars(sa.select(admins.c.id)).all():
        connection.execute(admins.update().where(admins.c.id == key).values(uid=_uid("adm"), **first))
    with op.batch_alter_table("admins") as batch:
        for name, kind in (
            ("uid", sa.String(length=32)),
            ("version", sa.Integer()),
            ("role", sa.String(length=16)),
            ("all_companies", sa.Boolean()),
            ("culture", sa.String(length=8)),
            ("enabled", sa.Boolean()),
        ):
            batch.alter_column(name, existing_type=kind, nullable=False)
        batch.create_unique_constraint(op.f("uq_admins_uid"), ["uid"])


def create_bearers() -> None:
    """What is shown instead of a password."""
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("admin_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["admin_id"], ["admins.id"], name=op.f("fk_api_tokens_admin_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("uid", name=op.f("uq_api_tokens_uid")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_tokens_digest")),
    )
    op.create_index(op.f("ix_api_tokens_admin_id"), "api_tokens", ["admin_id"], unique=False)
    op.create_index(op.f("ix_api_tokens_expires_at"), "api_tokens", ["expires_at"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("admin_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("ends_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["admin_id"], ["admins.id"], name=op.f("fk_sessions_admin_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("uid", name=op.f("uq_sessions_uid")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
    op.create_index(op.f("ix_sessions_admin_id"), "sessions", ["admin_id"], unique=False)
    op.create_index(op.f("ix_sessions_ends_at"), "sessions", ["ends_at"], unique=False)


def _uid(prefix: str) -> str:
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(20))}"
