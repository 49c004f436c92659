"""The dial plan of a domain. The default domain's changes nothing: it has no external prefix and no rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SETTINGS = (
    ("international_prefix", sa.String(length=8), "00"),
    ("country_prefix", sa.String(length=4), "33"),
    ("external_prefix", sa.String(length=8), ""),
    ("incoming_remove", sa.String(length=17), ""),
    ("incoming_add", sa.String(length=17), ""),
    ("internal_length", sa.Integer(), "4"),
    ("reverse_length", sa.Integer(), "9"),
)


def upgrade() -> None:
    """Columns of the domains, and the table of rules."""
    with op.batch_alter_table("domains") as domains:
        for name, kind, value in SETTINGS:
            domains.add_column(sa.Column(name, kind, nullable=False, server_default=value))
    with op.batch_alter_table("domains") as domains:
        for name, _, _ in SETTINGS:
            domains.alter_column(name, server_default=None)
    op.create_table(
        "dial_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("pattern", sa.String(length=255), nullable=False),
        sa.Column("result", sa.String(length=128), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_dial_rules_company_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["domain_id"], ["domains.id"], name=op.f("fk_dial_rules_domain_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dial_rules")),
        sa.UniqueConstraint("uid", name=op.f("uq_dial_rules_uid")),
    )
    op.create_index(op.f("ix_dial_rules_company_id"), "dial_rules", ["company_id"], unique=False)
    op.create_index(op.f("ix_dial_rules_domain_id"), "dial_rules", ["domain_id"], unique=False)
