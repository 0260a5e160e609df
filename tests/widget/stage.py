"""The built widget in a real browser, with a kernel and a server that the test plays."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route

from anonrun.core.times import format_time
from anonrun.core.wire import Frame, encode

PACKAGE = Path(__file__).parents[2] / "src" / "anonrun"
WIDGET = PACKAGE / "notebook" / "static"
WEB = PACKAGE / "server" / "web" / "static"
AXE = Path(__file__).parents[2] / "js" / "node_modules" / "axe-core" / "axe.min.js"

NOTEBOOK = "http://notebook.test/"
SERVER = "http://server.test/"
VIEW, CLAIM = "anr_v_" + "V" * 36, "anr_c_" + "C" * 36

_JOIN = """async ([url, traits]) => {
  const heard = {};
  window.said = [];
  window.kernel = {
    traits,
    send: (message, buffers) => heard['msg:custom'].forEach((f) => f(message, buffers)),
    set: (name, value) => { traits[name] = value; (heard['change:' + name] || []).forEach((f) => f()); },
  };
  const model = {
    get: (name) => traits[name], send: (message) => said.push(message), off() {},
    on: (event, f) => (heard[event] ||= []).push(f),
  };
  const widget = (await import(url)).default;
  window.leave = widget.initialize({model});
  widget.render({model, el: document.getElementById('el')});
}"""
_SEND = """([message, texts]) => kernel.send(message, texts.map(
  (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)))"""


def run_trait(**changes: Any) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    return {
        "run_id": "0192-run",
        "name": "digits-mlp",
        "project": "digits",
        "anonymous": True,
        "state": "running",
        "created_at": format_time(now - timedelta(seconds=42)),
        "expires_at": format_time(now + timedelta(days=7, seconds=-42)),
        "url_path": "r/0192-run",
        "config": {"lr": 0.001},
        "server": {"url": SERVER, "instance": "mine", "embedded": True},
        **changes,
    }


class Stage:
    """A page that shows one widget.

    Attributes:
        errors: what the page complained of; loading failures of a server that is not there are none.
        answers: what the server says, by the end of the path; anything else is out of reach.
    """

    def __init__(self, context: BrowserContext, *, answers: dict[str, dict[str, Any]] | None = None) -> None:
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.answers = answers or {}
        self._no = 0
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self._note(message.type, message.text))
        context.route("**/*", self._answer)

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "Failed to load resource" not in text:
            self.errors.append(text)

    def _answer(self, route: Route) -> None:
        url = route.request.url.split("?")[0].split("#")[0]
        allow = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "*",
            "Access-Control-Allow-Methods": "*",
        }
        if url == NOTEBOOK:
            style = (WIDGET / "widget.css").read_text()
            body = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Notebook</title><style>{style}</style>'
            route.fulfill(
                body=f'{body}<body data-jp-theme-light="true"><main id="el"></main>', content_type="text/html"
            )
        elif url == NOTEBOOK + "widget.js":
            route.fulfill(path=WIDGET / "widget.js", content_type="text/javascript")
        elif url.startswith(SERVER + "static/"):
            name = url.rsplit("/", 1)[1]
            kind = "text/css" if name.endswith("css") else "text/javascript"
            served = "static" in self.answers
            route.fulfill(path=WEB / name, content_type=kind, headers=allow) if served else route.abort()
        elif answer := next((said for end, said in self.answers.items() if url.endswith(end)), None):
            route.fulfill(headers=allow, **answer)
        elif url in (SERVER + "claim", SERVER + "r/0192-run"):
            route.fulfill(body="<title>server</title>", content_type="text/html")
        else:
            route.abort()

    def open(self, **changes: Any) -> Stage:
        """Show the widget of a run with these changes to its `run` trait."""
        self.page.goto(NOTEBOOK)
        traits = {
            "run": run_trait(**changes),
            "status": {"state": "running", "rows": 0, "unsent_rows": 0},
            "config": {},
        }
        self.page.evaluate(_JOIN, [NOTEBOOK + "widget.js", traits])
        return self

    def secrets(self) -> Stage:
        self.page.evaluate(_SEND, [{"type": "secrets", "view": VIEW, "claim": CLAIM}, []])
        return self

    def points(
        self, series: dict[str, Sequence[float]], *, first: int = 0, reset: bool = True, complete: bool = True
    ) -> Stage:
        """Send points of metrics, each at the steps from `first` on, one a second."""
        frames = [
            Frame.of(
                [name],
                range(first, first + len(values)),
                (1_795_000_000_000_000 + (first + i) * 1_000_000 for i in range(len(values))),
                [values],
            )
            for name, values in series.items()
        ]
        return self._send(frames, reset=reset, complete=complete)

    def rows(self, name: str, *, steps: Sequence[int], times_s: Sequence[float], values: Sequence[float]) -> Stage:
        """Send points of one metric at any steps and times."""
        return self._send([Frame.of([name], steps, [round(at * 1e6) for at in times_s], [values])])

    def _send(self, frames: Sequence[Frame], *, reset: bool = True, complete: bool = True) -> Stage:
        segment = base64.b64encode(encode(frames, writer=0, seq=0, compress=False)).decode()
        message = {"type": "points", "no": self._no, "reset": reset, "complete": complete}
        self._no += 1
        self.page.evaluate(_SEND, [message, [segment]])
        return self

    def others(self, *runs: dict[str, Any], version: int = 1) -> Stage:
        """Put runs behind this one: what is said of each, and under `series` its points, each as (steps, values)."""
        said, segments = [], []
        for place, run in enumerate(runs):
            known = {"key": f"run-{place}", "kind": "run", "name": f"run-{place}", "slot": place, "start": None, **run}
            start_us = round((known["start"] or 0) * 1e6)
            frames = [
                Frame.of([name], steps, [start_us + 2_000_000 * i for i in range(len(steps))], [values])
                for name, (steps, values) in known.pop("series").items()
            ]
            said.append(known)
            segments.append(base64.b64encode(encode(frames, writer=0, seq=0, compress=False)).decode())
        self.page.evaluate(_SEND, [{"type": "runs", "version": version, "runs": said}, segments])
        return self

    def trait(self, name: str, value: dict[str, Any]) -> None:
        self.page.evaluate("([name, value]) => kernel.set(name, value)", [name, value])

    def card(self, title: str) -> Any:
        return self.page.locator(".anr-card").filter(has=self.page.get_by_text(title, exact=True)).first

    def pixels(self, title: str) -> str:
        """Return what is drawn in a chart."""
        drawn: str = self.card(title).locator("canvas").evaluate("(canvas) => canvas.toDataURL()")
        return drawn


def as_json(status: int, body: object) -> dict[str, Any]:
    kind = "application/json" if status < 400 else "application/problem+json"
    return {"status": status, "body": json.dumps(body), "content_type": kind}
