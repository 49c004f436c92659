"""Imports of users, their runs and reports, and whose a user is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "user_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=True),
        sa.Column("security", sa.String(length=16), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("bind_dn", sa.String(length=1024), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("base", sa.String(length=1024), nullable=False),
        sa.Column("filter", sa.String(length=1024), nullable=False),
        sa.Column("members_of", sa.String(length=1024), nullable=False),
        sa.Column("page_size", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("enabled_column", sa.String(length=64), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("disabled_accounts", sa.String(length=16), nullable=False),
        sa.Column("largest_share", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("culture", sa.String(length=8), nullable=True),
        sa.Column("schedule", sa.String(length=32), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("scheduled_from", sa.Double(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_user_imports_company_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_user_imports_domain_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_user_imports_group_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_imports")),
        sa.UniqueConstraint("uid", name=op.f("uq_user_imports_uid")),
    )
    op.create_index(op.f("ix_user_imports_company_id"), "user_imports", ["company_id"], unique=False)
    op.create_index(op.f("ix_user_imports_domain_id"), "user_imports", ["domain_id"], unique=False)
    op.create_index(op.f("ix_user_imports_group_id"), "user_imports", ["group_id"], unique=False)
    op.create_index(op.f("ix_user_imports_name_folded"), "user_imports", ["name_folded"], unique=False)
    op.create_table(
        "imported_users",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("disabled_here", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["user_imports.id"], name=op.f("fk_imported_users_import_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_imported_users_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_imported_users")),
    )
    op.create_index(op.f("ix_imported_users_import_id"), "imported_users", ["import_id"], unique=False)
    op.create_table(
        "user_import_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("force", sa.Boolean(), nullable=False),
        sa.Column("started_by", sa.String(length=128), nullable=False),
        sa.Column("csv", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("disabled", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("ignored", sa.Integer(), nullable=False),
        sa.Column("spared", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_user_import_runs_company_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["user_imports.id"], name=op.f("fk_user_import_runs_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_import_runs")),
        sa.UniqueConstraint("uid", name=op.f("uq_user_import_runs_uid")),
    )
    op.create_index(op.f("ix_user_import_runs_asked_at"), "user_import_runs", ["asked_at"], unique=False)
    op.create_index(op.f("ix_user_import_runs_company_id"), "user_import_runs", ["company_id"], unique=False)
    op.create_index(op.f("ix_user_import_runs_import_id"), "user_import_runs", ["import_id"], unique=False)
    op.create_index(op.f("ix_user_import_runs_state"), "user_import_runs", ["state"], unique=False)
    op.create_table(
        "user_import_outcomes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("login", sa.String(length=255), nullable=False),
        sa.Column("reference", sa.String(length=1024), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"],
            ["companies.id"],
            name=op.f("fk_user_import_outcomes_company_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["user_import_runs.id"],
            name=op.f("fk_user_import_outcomes_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_import_outcomes")),
        sa.UniqueConstraint("uid", name=op.f("uq_user_import_outcomes_uid")),
    )
    op.create_index(
        op.f("ix_user_import_outcomes_company_id"), "user_import_outcomes", ["company_id"], unique=False
    )
    op.create_index(
        "ix_user_import_outcomes_run_id_id", "user_import_outcomes", ["run_id", "id"], unique=False
    )
