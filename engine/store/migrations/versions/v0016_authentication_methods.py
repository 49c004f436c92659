"""Users have passwords and sessions of their own, and methods by which they are checked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column, a table, and sessions that may be a user's."""
    op.add_column("users", sa.Column("password", sa.String(length=255), nullable=True))
    with op.batch_alter_table("sessions") as batch:
        batch.alter_column("admin_id", existing_type=sa.Integer(), nullable=True)
        batch.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_sessions_user_id"), "users", ["user_id"], ["id"], ondelete="CASCADE"
        )
        batch.create_check_constraint("ck_sessions_one_holder", "(admin_id IS NULL) <> (user_id IS NULL)")
        batch.create_index(op.f("ix_sessions_user_id"), ["user_id"], unique=False)
    op.create_table(
        "authentication_methods",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("security", sa.String(length=16), nullable=False),
        sa.Column("pattern", sa.String(length=255), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_authentication_methods_company_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["domain_id"],
            ["domains.id"],
            name=op.f("fk_authentication_methods_domain_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_authentication_methods_group_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_authentication_methods_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authentication_methods")),
        sa.UniqueConstraint("uid", name=op.f("uq_authentication_methods_uid")),
    )
    for name in ("company_id", "domain_id", "group_id", "user_id"):
        op.create_index(
            op.f(f"ix_authentication_methods_{name}"), "authentication_methods", [name], unique=False
        )
