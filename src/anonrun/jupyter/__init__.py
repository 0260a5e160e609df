"""The Jupyter server extension: carries the embedded server's pages through Jupyter.

Loaded when Jupyter starts, so it imports nothing heavy; knows of the embedded server only what stands in
its state file, and how the client starts it.
"""

from __future__ import annotations

from typing import Any

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "anonrun.jupyter"}]


def _load_jupyter_server_extension(server_app: Any) -> None:  # noqa: ANN401  Jupyter has no types here
    from anonrun.jupyter.proxy import handlers  # noqa: PLC0415  tornado is there only inside Jupyter

    server_app.web_app.add_handlers(".*$", handlers(server_app.web_app.settings["base_url"]))
