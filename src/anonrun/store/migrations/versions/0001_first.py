"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_DELETED = sa.text("deleted_at IS NOT NULL")
_EXPIRES = sa.text("expires_at IS NOT NULL")
_THERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "account",
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("folded_name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        sa.UniqueConstraint("folded_name", name=op.f("uq_account_folded_name")),
    )
    op.create_table(
        "event",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_at"), "event", ["at"], unique=False)
    op.create_table(
        "gone",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_gone")),
    )
    op.create_index(op.f("ix_gone_at"), "gone", ["at"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "run",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_by", sa.String(length=16), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("heartbeat_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("exit_code", sa.BigInteger(), nullable=True),
        sa.Column("config", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("group_name", sa.Text(), nullable=True),
        sa.Column("job_type", sa.Text(), nullable=True),
        sa.Column("metrics", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_run_account_id_account")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
    )
    op.create_index(
        op.f("ix_run_account_id_created_at_run_id"), "run", ["account_id", "created_at", "run_id"], unique=False
    )
    op.create_index(
        "ix_run_deleted_at",
        "run",
        ["deleted_at"],
        unique=False,
        sqlite_where=_DELETED,
        postgresql_where=_DELETED,
    )
    op.create_index(
        "ix_run_expires_at",
        "run",
        ["expires_at"],
        unique=False,
        sqlite_where=_EXPIRES,
        postgresql_where=_EXPIRES,
    )
    op.create_index(
        "uq_run_place",
        "run",
        ["account_id", "project", "id"],
        unique=True,
        sqlite_where=_THERE,
        postgresql_where=_THERE,
    )
    op.create_table(
        "session",
        sa.Column("session_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_session_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_index(op.f("ix_session_seen_at"), "session", ["seen_at"], unique=False)
    op.create_table(
        "token",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=1), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("run_id", sa.LargeBinary(16), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_token_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_token")),
        sa.UniqueConstraint("public_id", name=op.f("uq_token_public_id")),
    )
    op.create_index(op.f("ix_token_account_id_kind"), "token", ["account_id", "kind"], unique=False)
    op.create_index(op.f("ix_token_run_id_kind"), "token", ["run_id", "kind"], unique=False)
    op.create_table(
        "metric",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("metric_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.Double(), nullable=True),
        sa.Column("min", sa.Double(), nullable=True),
        sa.Column("max", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_metric_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "metric_id", name=op.f("pk_metric")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq_metric_run_id_name")),
    )
    op.create_table(
        "pending_claim",
        sa.Column("session_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_hash"],
            ["session.session_hash"],
            name=op.f("fk_pending_claim_session_hash_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_hash", "run_id", name=op.f("pk_pending_claim")),
    )
    op.create_table(
        "seg",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_seg_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "position", name=op.f("pk_seg")),
    )
    op.create_table(
        "session_grant",
        sa.Column("session_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_hash"],
            ["session.session_hash"],
            name=op.f("fk_session_grant_session_hash_session"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["token_hash"], ["token.token_hash"], name=op.f("fk_session_grant_token_hash_token"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_hash", "token_hash", name=op.f("pk_session_grant")),
    )
    op.create_index(op.f("ix_session_grant_token_hash"), "session_grant", ["token_hash"], unique=False)
    op.create_table(
        "writer",
        sa.Column("run_id", sa.LargeBinary(16), nullable=False),
        sa.Column("writer", sa.BigInteger(), nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_writer_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "writer", name=op.f("pk_writer")),
    )
