"""Alembic's entry: upgrades the connection that `upgrade.py` hands over."""

from __future__ import annotations

from alembic import context

from anonrun.store.schema import metadata


def run() -> None:
    """Upgrade the connection that stands in the configuration."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # Alembic's name for it; anyone else may import it and nothing happens
    run()
