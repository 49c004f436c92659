"""Companies and their domains. What there is already belongs to the first: the default company, the default domain."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def upgrade() -> None:
    """Both tables, and the first row of each."""
    companies = op.create_table(
        "companies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=255), nullable=False),
        sa.Column("culture", sa.String(length=8), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
        sa.UniqueConstraint("uid", name=op.f("uq_companies_uid")),
        sa.UniqueConstraint("name_folded", name=op.f("uq_companies_name_folded")),
    )
    domains = op.create_table(
        "domains",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=255), nullable=False),
        sa.Column("sip_domain", sa.String(length=255), nullable=True),
        sa.Column("culture", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_domains_company_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domains")),
        sa.UniqueConstraint("uid", name=op.f("uq_domains_uid")),
        sa.UniqueConstraint("company_id", "name_folded", name=op.f("uq_domains_company_id_name_folded")),
        sa.UniqueConstraint("sip_domain", name=op.f("uq_domains_sip_domain")),
    )
    op.create_index(op.f("ix_domains_company_id"), "domains", ["company_id"], unique=False)
    connection = op.get_bind()
    default = {"version": 1, "name": "default", "name_folded": "default", "culture": "en"}
    # the first rows of their tables: their keys are 1
    connection.execute(companies.insert().values(uid=_uid("cmp"), enabled=True, **default))
    connection.execute(domains.insert().values(uid=_uid("dom"), company_id=1, **default))


def _uid(prefix: str) -> str:
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(20))}"
