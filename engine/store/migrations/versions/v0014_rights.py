"""Authorisations, parameters that are set, and quotas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables; nobody has anything yet."""
    op.create_table(
        "authorisations",
        *_noun("authorisations", "RESTRICT"),
        sa.Column("grantee", sa.String(length=32), nullable=False),
        *_references("authorisations", "grantee", "user", "group"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("object", sa.String(length=32), nullable=False),
        *_references("authorisations", "object", "user", "group", "domain"),
        sa.UniqueConstraint("grantee", "kind", "object", name=op.f("uq_authorisations_grantee_kind_object")),
    )
    _index(
        "authorisations",
        "company_id",
        "grantee_user_id",
        "grantee_group_id",
        "object",
        "object_user_id",
        "object_group_id",
        "object_domain_id",
    )
    op.create_table(
        "parameters",
        *_noun("parameters", "RESTRICT"),
        sa.Column("owner", sa.String(length=32), nullable=False),
        *_references("parameters", "owner", "user", "group", "domain"),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_parameters_owner_name")),
    )
    _index("parameters", "company_id", "owner_user_id", "owner_group_id", "owner_domain_id", "name")
    op.create_table(
        "quotas",
        *_noun("quotas", "CASCADE"),
        sa.Column("application", sa.String(length=32), nullable=False),
        sa.Column("channels", sa.Integer(), nullable=True),
        sa.Column("users", sa.Integer(), nullable=True),
        sa.UniqueConstraint("company_id", "application", name=op.f("uq_quotas_company_id_application")),
    )
    _index("quotas", "application")


def _noun(table: str, ondelete: str) -> list[sa.schema.SchemaItem]:
    """What every table of things that are administered begins with."""
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("uid", name=op.f(f"uq_{table}_uid")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f(f"fk_{table}_company_id"), ondelete=ondelete
        ),
    ]


def _references(table: str, role: str, *others: str) -> list[sa.schema.SchemaItem]:
    """The key of whoever has that role in a row, of one of the tables; the row goes when it does."""
    items: list[sa.schema.SchemaItem] = []
    for other in others:
        column = f"{role}_{other}_id"
        items += [
            sa.Column(column, sa.Integer(), nullable=True),
            sa.ForeignKeyConstraint(
                [column], [f"{other}s.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
            ),
        ]
    return items


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
