"""Artifacts: versions, their files, their names, who uses them, and the bytes that accounts keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.LargeBinary(16)
_HASH = sa.LargeBinary(32)


def _index(name: str, table: str, column: str, condition: str) -> None:
    """Make an index of only those rows for which a condition holds."""
    where = sa.text(condition)
    op.create_index(name, table, [column], unique=False, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Add tables; there is no artifact yet."""
    _add_versions()
    _add_bytes()


def _add_versions() -> None:
    op.create_table(
        "artifact_name",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("next_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "project", "name", name=op.f("pk_artifact_name")),
    )
    op.create_table(
        "artifact",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("artifact_id", _ID, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("digest", _HASH, nullable=False),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("wanted_aliases", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("meta", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_artifact_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "artifact_id", name=op.f("pk_artifact")),
    )
    op.create_index("uq_artifact_id", "artifact", ["artifact_id"], unique=True)
    op.create_index(
        op.f("ix_artifact_account_id_project_name_version"),
        "artifact",
        ["account_id", "project", "name", "version"],
        unique=False,
    )
    _index("ix_artifact_deleted_at", "artifact", "deleted_at", "deleted_at IS NOT NULL")
    _index("ix_artifact_touched_at", "artifact", "touched_at", "version IS NULL")
    op.create_table(
        "artifact_file",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("artifact_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", _HASH, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "artifact_id", "number", name=op.f("pk_artifact_file")),
    )
    op.create_index(op.f("ix_artifact_file_account_id_digest"), "artifact_file", ["account_id", "digest"], unique=False)
    op.create_table(
        "artifact_alias",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("alias", sa.String(128), nullable=False),
        sa.Column("artifact_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "project", "name", "alias", name=op.f("pk_artifact_alias")),
    )
    op.create_index(op.f("ix_artifact_alias_artifact_id"), "artifact_alias", ["artifact_id"], unique=False)
    op.create_table(
        "artifact_use",
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("artifact_id", _ID, nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_artifact_use_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "artifact_id", name=op.f("pk_artifact_use")),
    )
    op.create_index(op.f("ix_artifact_use_artifact_id"), "artifact_use", ["artifact_id"], unique=False)


def _add_bytes() -> None:
    op.create_table(
        "blob",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", _HASH, nullable=False),
        sa.Column("blob_id", _ID, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=True),
        sa.Column("loose_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.account_id"], name=op.f("fk_blob_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_blob")),
        sa.UniqueConstraint("blob_id", name=op.f("uq_blob_blob_id")),
    )
    _index("ix_blob_loose_at", "blob", "loose_at", "loose_at IS NOT NULL")
    op.create_table(
        "blob_part",
        sa.Column("blob_id", _ID, nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("doomed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("blob_id", "key", name=op.f("pk_blob_part")),
    )
    _index("ix_blob_part_doomed", "blob_part", "begun_at", "doomed")
    _index("ix_blob_part_arriving", "blob_part", "begun_at", "size_bytes IS NULL")
