"""Alembic's entry: upgrades the connection that `upgrade.py` hands over."""

from __future__ import annotations

from alembic import context

from anonrun.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
