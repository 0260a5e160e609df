"""Publication, and what limits how many anonymous runs come from one place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add columns and tables; no run is published, and none that is there counts for an address."""
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("published_at", sa.BigInteger(), nullable=True))
        run.add_column(sa.Column("embed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        run.add_column(sa.Column("origin", sa.LargeBinary(16), nullable=True))
        run.add_column(sa.Column("flushes_until", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_run_origin",
        "run",
        ["origin"],
        unique=False,
        sqlite_where=sa.text("origin IS NOT NULL"),
        postgresql_where=sa.text("origin IS NOT NULL"),
    )
    op.create_table(
        "rate",
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate")),
    )
    op.create_index(op.f("ix_rate_until"), "rate", ["until"], unique=False)
    op.create_table(
        "address_key",
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_address_key")),
    )
