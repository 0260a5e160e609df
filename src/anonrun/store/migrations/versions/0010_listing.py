"""Indexes by which the runs of a project, and those of all accounts, are listed page by page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add indexes."""
    op.create_index(op.f("ix_run_created_at_run_id"), "run", ["created_at", "run_id"], unique=False)
    op.create_index(
        "ix_run_listing",
        "run",
        ["account_id", "project", "created_at", "run_id", "expires_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
