"""What accounts need: roles, recovery codes, logins by device code, and sessions that can be told apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables and columns; everybody is a member, and every browser must give its password again."""
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("role", sa.String(length=16), server_default=sa.text("'member'"), nullable=False))
    with op.batch_alter_table("session") as session:
        session.add_column(sa.Column("agent", sa.String(length=64), nullable=True))
        session.add_column(sa.Column("confirmed_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "recovery_code",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_recovery_code_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_account_id"), "recovery_code", ["account_id"], unique=False)
    op.create_table(
        "device_login",
        sa.Column("device_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("handle", sa.String(length=4), nullable=False),
        sa.Column("user_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=True),
        sa.Column("wrong_tries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("session_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_device_login_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_hash", name=op.f("pk_device_login")),
        sa.UniqueConstraint("handle", name=op.f("uq_device_login_handle")),
    )
    op.create_index(op.f("ix_device_login_expires_at"), "device_login", ["expires_at"], unique=False)
    op.create_index(op.f("ix_device_login_account_id"), "device_login", ["account_id"], unique=False)
    op.create_table(
        "attempt",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("times", sa.Text(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "place_hash", name=op.f("pk_attempt")),
    )
    op.create_index(op.f("ix_attempt_last_at"), "attempt", ["last_at"], unique=False)
