"""How far a run is and how it ended, in the built widget: every state, light and dark."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from anonrun.core.times import format_time
from widget.stage import AXE, Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("widget")]

_AXE_RUN = (
    "async () => (await axe.run('.anr-widget')).violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 200))])"
)
ROWS = [1 / (i + 1) for i in range(400)]
NARROW = "\u202f"


def ago(seconds: float) -> str:
    return format_time(datetime.now(timezone.utc) - timedelta(seconds=seconds))


def opened(
    context: BrowserContext, *, state: str = "running", status: dict[str, Any] | None = None, **run: Any
) -> Stage:
    stage = Stage(context).open(state=state, **run).secrets()
    stage.trait("status", {"state": state, "rows": 400, "unsent_rows": 0, **(status or {})})
    return stage.points({"loss": ROWS})


def bar(stage: Stage) -> Locator:
    return stage.page.get_by_role("progressbar", name="Steps")


def test_without_a_total_a_run_has_its_step_and_pace_and_no_bar(context: BrowserContext) -> None:
    stage = opened(context)
    expect(stage.page.locator(".anr-head")).to_contain_text(re.compile(r"00:4\d · step 399 · 1 steps/s"))
    expect(bar(stage)).to_have_count(0)


def test_with_a_total_a_run_tells_how_far_it_is_and_what_is_left(context: BrowserContext) -> None:
    stage = opened(context, total=1000)
    expect(stage.page.locator(".anr-head")).to_contain_text(
        f"step 399 of 1{NARROW}000 (40{NARROW}%) · 1 steps/s · about 10 min left"
    )
    expect(bar(stage)).to_have_attribute("aria-valuenow", "400")
    expect(bar(stage)).to_have_attribute("aria-valuemax", "1000")
    expect(bar(stage)).to_have_attribute("aria-valuetext", re.compile("about 10 min left"))
    assert stage.errors == []


def test_beyond_its_total_the_bar_is_full_and_the_words_say_so(context: BrowserContext) -> None:
    stage = opened(context, total=300)
    head = stage.page.locator(".anr-head")
    expect(head).to_contain_text("step 399, beyond the 300 planned")
    expect(head).not_to_contain_text("left")
    expect(bar(stage)).to_have_attribute("aria-valuenow", "300")


def test_before_the_first_row_the_bar_is_empty(context: BrowserContext) -> None:
    stage = Stage(context).open(total=100)
    expect(bar(stage)).to_have_attribute("aria-valuenow", "0")


def test_a_finished_run_has_neither_pace_nor_time_left(context: BrowserContext) -> None:
    stage = opened(context, state="finished", total=400, created_at=ago(500), finished_at=ago(100))
    head = stage.page.locator(".anr-head")
    expect(head.locator(".anr-state")).to_have_text("finished")
    expect(head).to_contain_text(re.compile(rf"06:\d\d · step 399 of 400 \(100{NARROW}%\)"))
    expect(head).not_to_contain_text(re.compile("steps/s|left"))


@pytest.mark.parametrize(
    ("run", "status", "said"),
    [
        ({"error": "ValueError"}, {"failure": "ValueError: lr must be > 0"}, "ValueError: lr must be > 0"),
        ({"error": "ValueError"}, {}, "ValueError"),
        ({"exit_code": 3}, {}, "It ended with exit code 3."),
    ],
)
def test_a_failed_run_tells_what_is_known_of_its_failure(
    context: BrowserContext, run: dict[str, Any], status: dict[str, Any], said: str
) -> None:
    stage = opened(context, state="failed", status=status, total=1000, finished_at=ago(1), **run)
    expect(stage.page.locator(".anr-state")).to_have_text("failed")
    expect(stage.page.locator(".anr-reason")).to_have_text(said)
    expect(bar(stage)).to_have_attribute("data-state", "failed")


def test_a_crashed_run_is_not_a_failed_one(context: BrowserContext) -> None:
    stage = opened(context, state="crashed", total=1000, created_at=ago(500), heartbeat_at=ago(100))
    expect(stage.page.locator(".anr-state")).to_have_text("crashed")
    expect(stage.page.locator(".anr-reason")).to_contain_text("has not been heard since")


def test_an_error_in_a_cell_is_told_until_the_run_logs_again(context: BrowserContext) -> None:
    stage = opened(context, status={"failure": "KeyboardInterrupt"})
    reason = stage.page.locator(".anr-reason")
    expect(reason).to_have_text("Last error: KeyboardInterrupt")
    stage.trait("status", {"state": "running", "rows": 401, "unsent_rows": 0, "failure": None})
    expect(reason).to_have_count(0)


def test_a_name_in_an_error_is_text_and_never_markup(context: BrowserContext) -> None:
    stage = opened(context, state="failed", status={"failure": "E: <img src=x onerror=alert(1)> \u2028"})
    expect(stage.page.locator(".anr-reason")).to_contain_text("<img src=x")
    expect(stage.page.locator(".anr-reason img")).to_have_count(0)


def test_only_what_changes_the_state_is_spoken(context: BrowserContext) -> None:
    stage = opened(context, total=1000)
    live = stage.page.locator(".anr-head").locator("[role=status]")
    expect(live).to_have_count(1)
    expect(live).to_have_text("running")


def test_a_run_of_an_account_says_that_it_is_kept(context: BrowserContext) -> None:
    stage = opened(context, anonymous=False, expires_at=None)
    banner = stage.page.locator(".anr-banner")
    expect(banner).to_have_attribute("data-tone", "account")
    expect(banner).to_contain_text("Kept in your account.")
    expect(stage.page.get_by_text("Claim this run")).to_have_count(0)
    expect(banner.get_by_text("Download")).to_be_visible()


SHOWN: Sequence[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("running", {"total": 1000}, {"unsent_rows": 12, "trouble": "The server does not answer: connection refused."}),
    ("finished", {"total": 400, "finished_at": ago(1)}, {}),
    ("failed", {"total": 1000, "finished_at": ago(1)}, {"failure": "ValueError: lr must be > 0, got -0.1"}),
    ("crashed", {"total": 1000, "heartbeat_at": ago(1), "expires_at": ago(-3_000)}, {}),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("state", "run", "status"), SHOWN, ids=[state for state, _, _ in SHOWN])
def test_every_state_is_to_be_seen_and_accessible_light_and_dark(
    context: BrowserContext, theme: str, state: str, run: dict[str, Any], status: dict[str, Any]
) -> None:
    stage = opened(context, state=state, status=status, **run)
    if theme == "dark":
        stage.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
        stage.page.evaluate("document.body.style.background = '#111418'")
    expect(stage.page.locator(".anr-widget")).to_have_attribute("data-theme", theme)
    done = bar(stage).locator("div")
    colors = done.evaluate(
        "(e) => [getComputedStyle(e).backgroundColor, getComputedStyle(e.parentElement).backgroundColor]"
    )
    assert colors[0] != colors[1]
    stage.page.add_script_tag(path=AXE)
    assert stage.page.evaluate(_AXE_RUN) == []
    folder = os.environ.get("ANONRUN_PICTURES")
    if folder:
        stage.page.screenshot(path=Path(folder) / f"status-{state}-{theme}.png")


def test_nothing_moves_for_who_wants_no_motion(context: BrowserContext) -> None:
    stage = opened(context, total=1000)
    done = bar(stage).locator("div")
    moving = "(e) => getComputedStyle(e).transitionDuration"
    assert done.evaluate(moving) == "0.3s"
    stage.page.emulate_media(reduced_motion="reduce")
    assert done.evaluate(moving) == "0s"
