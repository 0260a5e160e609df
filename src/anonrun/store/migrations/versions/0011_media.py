"""Media: what was logged at a step and is no number, and of each run how many items there are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add a table and a count; there are no media yet."""
    op.add_column("run", sa.Column("media", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_table(
        "media",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("media_id", sa.LargeBinary(16), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("caption", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_media_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_media")),
        sa.UniqueConstraint("run_id", "media_id", name=op.f("uq_media_run_id_media_id")),
    )
