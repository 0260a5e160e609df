"""The built widget in Chromium with a million points: frames a second while a reader moves over them.

The page is the widget's own script and a kernel of a few lines; it needs no Jupyter and no server. Each frame the page
gets one wheel event, as a hand on a wheel gives it; a frame counts where the first chart was drawn anew in it.

    python -m benchmarks.charts
"""

from __future__ import annotations

import base64
import contextlib
import math
import shutil
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, Route, sync_playwright

from anonrun.core.wire import Frame, encode
from benchmarks.setup import ROOT

__all__ = ["LEAST_FPS", "Moved", "measure"]

LEAST_FPS = 30
"""The design's budget for a million points."""

_STATIC = ROOT / "src" / "anonrun" / "notebook" / "static"
_ADDRESS = "http://charts.test/"
_ROWS_A_MESSAGE = 50_000
_SECONDS = 4
_ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu")
_PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="widget.css">
<body data-jp-theme-light="true"><main id="el"></main>"""
_JOIN = """async () => {
  const heard = {};
  const run = {run_id: 'bench', name: 'bench', anonymous: false, state: 'running'};
  const traits = {run, status: {state: 'running', rows: 0}, config: {}};
  const model = {
    get: (name) => traits[name], send() {}, off() {}, on: (event, f) => (heard[event] ||= []).push(f),
  };
  const widget = (await import('./widget.js')).default;
  widget.initialize({model});
  widget.render({model, el: document.getElementById('el')});
  window.tell = (no, text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const message = {type: 'points', no, reset: no === 0, complete: true};
    for (const hear of heard['msg:custom']) hear(message, [new DataView(bytes.buffer)]);
  };
}"""
# Closer and further off, or to and fro: each frame one event. Then the hand rests, and finer points are read.
_MOVE = """async ([how, seconds]) => {
  const over = document.querySelector('.anr-over');
  const box = over.getBoundingClientRect();
  const at = {clientX: box.left + box.width * 0.4, clientY: box.top + 20, bubbles: true, cancelable: true};
  const wheel = (more) => over.dispatchEvent(new WheelEvent('wheel', {...at, ...more}));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const canvas = document.querySelector('.anr-card canvas');
  const clear = CanvasRenderingContext2D.prototype.clearRect;
  let drawn = 0;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    drawn += this.canvas === canvas;
    clear.apply(this, box);
  };
  if (how === 'move') for (let i = 0; i < 8; i++) { wheel({ctrlKey: true, deltaY: -200}); await frame(); }
  await frame();
  const frames = [];
  const begin = performance.now();
  let last = begin;
  drawn = 0;
  for (let i = 0; last - begin < 1000 * seconds; i++) {
    const forth = Math.floor(i / 30) % 2 === 0;
    wheel(how === 'move' ? {shiftKey: true, deltaY: forth ? 12 : -12} : {ctrlKey: true, deltaY: forth ? -60 : 60});
    await frame();
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  const moved = {drawn, ms: last - begin, frames};
  let [rest, longest] = [performance.now(), 0];
  const end = rest + 1000;
  while (rest < end) {
    await frame();
    const now = performance.now();
    longest = Math.max(longest, now - rest);
    rest = now;
  }
  return {...moved, longest};
}"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What one movement over the charts took.

    Attributes:
        how: `zoom` or `move`.
        charts: that were drawn together.
        points: in all of them.
        fps: how often a second the first chart was drawn anew.
        frames_ms: from frame to frame.
        settling_ms: the longest frame after the hand rests, in which finer points are read.
    """

    how: str
    charts: int
    points: int
    fps: float
    frames_ms: tuple[float, ...]
    settling_ms: float

    @property
    def slow_ms(self) -> float:
        """What 99 of 100 frames do not exceed."""
        return statistics.quantiles(self.frames_ms, n=100)[98]


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(_ADDRESS)
    if name in {"widget.js", "widget.css"}:
        route.fulfill(path=_STATIC / name, content_type="text/javascript" if name.endswith("js") else "text/css")
    elif name == "":
        route.fulfill(body=_PAGE, content_type="text/html")
    else:
        route.abort()


@contextlib.contextmanager
def _browser() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        raise RuntimeError("This benchmark needs Chromium as `chromium` on the PATH: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def _fill(page: Page, charts: int, points: int) -> None:
    """Send the points as a kernel does, and wait until the charts are drawn."""
    rows = points // charts
    names = [f"metric{no}" for no in range(charts)]
    for no, first in enumerate(range(0, rows, _ROWS_A_MESSAGE)):
        steps = range(first, min(first + _ROWS_A_MESSAGE, rows))
        columns = [
            [math.sin(step / 9_000 + chart) + math.sin(step * 12.9898) / 3 for step in steps] for chart in range(charts)
        ]
        times = [1_795_000_000_000_000 + 1_000 * step for step in steps]
        segment = encode([Frame.of(names, steps, times, columns)], writer=0, seq=first, compress=False)
        page.evaluate("([no, text]) => tell(no, text)", [no, base64.b64encode(segment).decode()])
    page.wait_for_function("(n) => document.querySelectorAll('.anr-card canvas').length === n", arg=charts)


def measure(charts: int, points: int, seconds: int = _SECONDS) -> Iterator[Moved]:
    """Yield how smoothly a page with so many charts, and points in all of them, is zoomed and moved.

    Raises:
        RuntimeError: there is no Chromium.
    """
    with _browser() as browser:
        for how in ("zoom", "move"):
            page = browser.new_page(viewport={"width": 1000, "height": 900})
            page.route("**/*", _serve)
            page.goto(_ADDRESS)
            page.evaluate(_JOIN)
            _fill(page, charts, points)
            seen = page.evaluate(_MOVE, [how, seconds])
            fps = 1e3 * seen["drawn"] / seen["ms"]
            yield Moved(how, charts, points, fps, tuple(seen["frames"]), seen["longest"])
            page.close()


def main() -> int:
    """Print the figures; fail where the budget is missed."""
    failed = False
    for charts in (1, 4, 12):
        for moved in measure(charts, 1_000_000):
            failed |= charts == 1 and moved.fps < LEAST_FPS
            sys.stdout.write(
                f"{moved.points:,} points in {moved.charts} charts, {moved.how}: {moved.fps:.0f} frames a second"
                f" (99 % within {moved.slow_ms:.0f} ms; finer points cost one of {moved.settling_ms:.0f} ms)\n"
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
