"""Runs in the notebook: magics, live widget, static picture. Knows the client, never the server."""

from __future__ import annotations

from anonrun.notebook.display import show

__all__ = ["show"]
