"""Runs the revisions that a database lacks: all of them or none."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

__all__ = ["config_for", "upgrade"]


def config_for(conn: Connection) -> Config:
    """Return Alembic's configuration for a connection; there is no file of it."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = conn
    return config


def upgrade(conn: Connection) -> None:
    """Bring a database to the newest revision, in the transaction that the connection is in."""
    command.upgrade(config_for(conn), "head")
