"""How many steps a run will make, and what ended it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add columns; nobody said anything of the runs that are there."""
    with op.batch_alter_table("run") as run:
        run.add_column(sa.Column("error", sa.String(80), nullable=True))
        run.add_column(sa.Column("total_steps", sa.BigInteger(), nullable=True))
