"""Where runs went that were moved to another server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add a table; no run was moved before."""
    op.create_table(
        "moved",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("server", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_moved")),
    )
