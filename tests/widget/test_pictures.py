"""The main views of the widget look as they did when somebody last looked at them, in light and in dark.

Where a change of looks is meant: `ANONRUN_PICTURES_AGAIN=1 pytest tests/widget/test_pictures.py`, look, commit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from anonrun.core.times import format_time
from support.likeness import assert_looks_as_before
from widget.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("widget")]

_NOW = datetime(2026, 11, 24, 15, 30, tzinfo=timezone.utc)
_STEPS = range(200)
_PAGE_THEME = """(light) => {
  document.body.dataset.jpThemeLight = light;
  document.body.style.background = light ? '#fff' : '#111';
}"""


def _training() -> dict[str, list[float]]:
    return {
        "train/loss": [2 * math.exp(-i / 40) + 0.1 + 0.1 * math.sin(12.9898 * i) for i in _STEPS],
        "val/loss": [2 * math.exp(-i / 45) + 0.2 for i in _STEPS],
        "train/accuracy": [1 - math.exp(-i / 30) for i in _STEPS],
        "val/accuracy": [0.96 - math.exp(-i / 32) for i in _STEPS],
        "learning_rate": [1e-3 * (1 + math.cos(math.pi * i / 200)) / 2 for i in _STEPS],
    }


def _running(stage: Stage) -> Locator:
    stage.trait("status", {"state": "running", "rows": 200, "unsent_rows": 3})
    stage.points(_training())
    expect(stage.card("loss").locator("canvas")).to_be_visible()
    return stage.page.locator(".anr-widget")


def _odd_values(stage: Stage) -> Locator:
    stage.trait("status", {"state": "running", "rows": 200, "unsent_rows": 0})
    spiked = [math.nan if i % 40 == 20 else math.inf if i % 40 == 30 else math.sin(i / 9) for i in _STEPS]
    stage.points({"with NaN": spiked, "constant": [0.5] * 200, "one point": [3.0], "huge": [1e308, -1e308, 1e308]})
    expect(stage.card("huge").locator("canvas")).to_be_visible()
    return stage.page.locator(".anr-widget")


def _last_hour(stage: Stage) -> Locator:
    stage.page.goto("about:blank")
    _open(stage, expires_at=format_time(_NOW + timedelta(minutes=42)))
    stage.trait("status", {"state": "running", "rows": 200, "unsent_rows": 0})
    stage.points({"loss": _training()["train/loss"]})
    expect(stage.page.locator(".anr-banner")).to_have_attribute("data-tone", "hour")
    return stage.page.locator(".anr-widget")


def _claimed_and_finished(stage: Stage) -> Locator:
    stage.page.goto("about:blank")
    _open(stage, anonymous=False, expires_at=None, state="finished")
    stage.trait("status", {"state": "finished", "rows": 200, "unsent_rows": 0})
    stage.points({"loss": _training()["train/loss"]})
    expect(stage.page.locator(".anr-head")).to_contain_text("finished")
    return stage.page.locator(".anr-widget")


def _enlarged(stage: Stage) -> Locator:
    stage.points(_training())
    stage.page.evaluate("leave()")  # no kernel that could bring plotly: what is drawn is ours
    stage.card("loss").get_by_label("Enlarge loss").click()
    dialog = stage.page.locator(".anr-dialog")
    expect(dialog).to_contain_text("Drawn in the simple form instead.")
    expect(dialog.locator("canvas")).to_be_visible()
    return dialog


_VIEWS = (_running, _odd_values, _last_hour, _claimed_and_finished, _enlarged)


def _open(stage: Stage, **changes: object) -> None:
    began, end = format_time(_NOW - timedelta(seconds=42)), format_time(_NOW + timedelta(days=7, seconds=-42))
    stage.open(**{"created_at": began, "expires_at": end, **changes}).secrets()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", _VIEWS, ids=[view.__name__[1:] for view in _VIEWS])
def test_it_looks_as_it_did(
    context: BrowserContext, view: Callable[[Stage], Locator], theme: str, tmp_path: Path
) -> None:
    context.clock.set_fixed_time(_NOW)
    stage = Stage(context)
    stage.page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    _open(stage)
    part = view(stage)
    stage.page.evaluate(_PAGE_THEME, theme == "light")
    expect(stage.page.locator(".anr-widget")).to_have_attribute("data-theme", re.compile(theme))
    assert_looks_as_before(part, f"widget-{view.__name__[1:].replace('_', '-')}-{theme}", tmp_path)
    assert stage.errors == []
