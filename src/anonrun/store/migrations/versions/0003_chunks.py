"""Chunks: compacted stretches of series, and the runs that wait for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables; every run's history becomes a tail that is compacted by and by.

    A metric's row is from now on the summary of what is in chunks, which is nothing yet.
    """
    zero = sa.text("0")
    # Not in a batch, which would make the table anew on SQLite: other tables' rows refer to those that would go.
    op.add_column("run", sa.Column("compacted", sa.BigInteger(), server_default=zero, nullable=False))
    op.add_column("run", sa.Column("compacted_points", sa.BigInteger(), server_default=zero, nullable=False))
    op.execute("UPDATE metric SET n = 0, last_step = 0, last = NULL, min = NULL, max = NULL")
    op.create_table(
        "tail",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_tail_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_tail")),
    )
    op.create_table(
        "axis",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("axis_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("step_min", sa.BigInteger(), nullable=False),
        sa.Column("step_max", sa.BigInteger(), nullable=False),
        sa.Column("time_min", sa.BigInteger(), nullable=False),
        sa.Column("time_max", sa.BigInteger(), nullable=False),
        sa.Column("steps_rise", sa.Boolean(), nullable=False),
        sa.Column("times_rise", sa.Boolean(), nullable=False),
        sa.Column("rollup", sa.LargeBinary(), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.LargeBinary(), nullable=False),
        sa.Column("positions", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_axis_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "axis_id", name=op.f("pk_axis")),
    )
    op.create_table(
        "chunk",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("metric_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("axis_id", sa.Integer(), nullable=False),
        sa.Column("rollup", sa.LargeBinary(), nullable=False),
        sa.Column("vals", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_chunk_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "metric_id", "no", name=op.f("pk_chunk")),
    )
    op.create_index(op.f("ix_chunk_run_id_axis_id"), "chunk", ["run_id", "axis_id"], unique=False)
    op.execute(
        "INSERT INTO tail (run_id, since) SELECT run_id, heartbeat_at FROM run "
        "WHERE position > 0 AND deleted_at IS NULL"
    )
