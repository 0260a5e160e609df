"""A run in one HTML file, opened from the disk: no network, no server; with scripts, without, and on paper."""

from __future__ import annotations

import base64
import gzip
import json
import math
import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from anonrun.core.messages import Permissions, RunInfo, RunState
from anonrun.core.tokens import TOKEN_PATTERN, TokenKind, mint
from anonrun.core.wire import Frame, decode_all
from anonrun.notebook import html_file as module
from anonrun.notebook.html_file import html_file, write_html
from widget.stage import AXE, WEB, Stage

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("widget")]

BEGUN = datetime(2026, 11, 24, 3, 0, tzinfo=timezone.utc)
SAVED = datetime(2026, 11, 24, 4, 0, tzinfo=timezone.utc)
HOSTILE = '</script><img src=x onerror="document.title=1">\u2028]]> <!-- é'
TOKEN = mint(TokenKind.CLAIM)


def info_of(**changes: Any) -> RunInfo:
    known: dict[str, Any] = {
        "run_id": "0192f7d0-0000-7000-8000-000000000001", "account": "ada-lovelace", "project": "digits", "id": "k3x9",
        "name": "digits-mlp", "state": RunState.FINISHED, "anonymous": True, "created_at": BEGUN,
        "server_time": SAVED, "url_path": "r/x", "finished_at": datetime(2026, 11, 24, 3, 6, 40, tzinfo=timezone.utc),
        "config": {"lr": 0.001, "optimizer": {"name": "adam"}}, "summary": {"train/loss": 0.0025, "best": 0.98},
        "tags": ["baseline"], "notes": "A first try.", "total": 400, "permissions": Permissions(claim=True),
    }  # fmt: skip
    return RunInfo(**{**known, **changes})


def frames_of(rows: int = 400) -> list[Frame]:
    start = int(BEGUN.timestamp() * 1e6)
    names = ["train/loss", "val/loss", "accuracy", "system/cpu_percent"]
    columns = [
        [1 / (i + 1) for i in range(rows)],
        [1.2 / (i + 1) for i in range(rows)],
        [1 - math.exp(-i / 80) for i in range(rows)],
        [50.0] * rows,
    ]
    return [Frame.of(names, range(rows), [start + 1_000_000 * i for i in range(rows)], columns)]


@pytest.fixture
def offline_too(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody else, who has the file and nothing more."""
    with browser.new_context(offline=True) as other:
        yield other


@pytest.fixture
def offline(context: BrowserContext) -> Iterator[BrowserContext]:
    """A browser that fails the test where a file asks for anything but itself."""
    asked: list[str] = []

    def note(request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            asked.append(request.url)

    context.on("request", note)
    context.set_offline(True)
    yield context
    assert asked == []


def opened(context: BrowserContext, folder: Path, text: str) -> tuple[Page, list[str]]:
    path = folder / "run.html"
    write_html(path, text)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(path.as_uri())
    return page, errors


def saved(page: Page, name: str) -> None:
    folder = os.environ.get("ANONRUN_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"file-{name}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_file_shows_the_run_and_is_accessible(offline: BrowserContext, tmp_path: Path, theme: str) -> None:
    page, errors = opened(offline, tmp_path, html_file(info_of(), frames_of(), saved_at=SAVED))
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of the two
    expect(page.locator(".anr-file")).to_have_attribute("data-theme", theme)
    head = page.locator(".anr-file > header")
    expect(head).to_contain_text("06:40 · step 399 of 400 (100\u202f%) · 1\u202f600 points, every one")
    expect(head).to_contain_text("saved to this file Tue 24 Nov 2026, 05:00 (Europe/Berlin (GMT+1))")
    expect(page.locator(".anr-card")).to_have_count(2)
    expect(page.locator(".still")).to_be_hidden()
    page.evaluate(AXE.read_text())  # past the policy, which lets no other script in
    for tab in ("Charts", "System", "Summary", "Config"):
        page.get_by_role("tab", name=tab).click()
        found = page.evaluate("async () => (await axe.run(document)).violations.map((v) => [v.id, v.nodes[0].html])")
        assert found == []
        saved(page, f"{theme}-{tab.lower()}")
    assert errors == []


def test_its_charts_are_worked_with_as_in_the_widget_by_keys_too(offline: BrowserContext, tmp_path: Path) -> None:
    page, errors = opened(offline, tmp_path, html_file(info_of(), frames_of(), saved_at=SAVED))
    page.get_by_role("tab", name="Charts").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="System")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("tabpanel")).to_contain_text("optimizer.name")
    page.keyboard.press("Home")
    card = page.locator(".anr-card", has_text="accuracy")
    before = card.locator("canvas").evaluate("(canvas) => canvas.toDataURL()")
    box = card.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page.get_by_role("button", name="Reset zoom")).to_be_visible()
    assert card.locator("canvas").evaluate("(canvas) => canvas.toDataURL()") != before
    with page.expect_download() as download:
        card.get_by_role("button", name="More for accuracy").click()
        page.get_by_role("menuitem", name="CSV of all points").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert (lines[0], len(lines)) == ("step,time,accuracy", 401)
    card.get_by_role("button", name=re.compile("Enlarge")).click()
    expect(page.get_by_role("dialog")).to_contain_text("plotly is not in it")
    assert errors == []


def test_without_scripts_it_is_a_picture_and_tables(browser: Browser, tmp_path: Path) -> None:
    with browser.new_context(java_script_enabled=False, offline=True) as context:
        page, errors = opened(context, tmp_path, html_file(info_of(), frames_of(), saved_at=SAVED))
        expect(page.get_by_role("heading", name="digits-mlp")).to_be_visible()
        expect(page.get_by_role("img", name=re.compile("Charts of the run digits-mlp"))).to_be_visible()
        expect(page.get_by_role("row", name="accuracy")).to_contain_text("400")
        expect(page.get_by_role("row", name="optimizer.name adam")).to_be_visible()
        saved(page, "still")
        assert errors == []


def test_on_paper_the_picture_and_the_tables_stand(offline: BrowserContext, tmp_path: Path) -> None:
    page, _ = opened(offline, tmp_path, html_file(info_of(), frames_of(), saved_at=SAVED))
    expect(page.locator(".anr-card")).to_have_count(2)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".still")).to_be_visible()
    expect(page.locator("#live")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.still img')).colorScheme") == "light only"
    saved(page, "print")


def test_nothing_in_a_run_is_markup_or_leaves_the_file(offline: BrowserContext, tmp_path: Path) -> None:
    info = info_of(
        name=HOSTILE, project=HOSTILE, id=HOSTILE, notes=HOSTILE, tags=[HOSTILE], config={HOSTILE: HOSTILE},
        summary={HOSTILE: [HOSTILE]}, error="E", state=RunState.FAILED,
    )  # fmt: skip
    frames = [Frame.of([HOSTILE], [0, 1], [0, 1], [[1.0, math.nan]])]
    page, errors = opened(offline, tmp_path, html_file(info, frames, saved_at=SAVED, failure=f"E: {HOSTILE}"))
    expect(page.locator(".anr-file .anr-reason")).to_have_text(re.compile("E: </script>"))
    for tab in ("Summary", "Config"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel")).to_contain_text("</script><img src=x")
    assert page.title().startswith("</script><img src=x")
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("script").count() == 2
    assert errors == []


def test_its_policy_stops_a_script_and_a_request_that_somebody_adds(context: BrowserContext, tmp_path: Path) -> None:
    page, errors = opened(context, tmp_path, html_file(info_of(), frames_of(), saved_at=SAVED))
    expect(page.locator(".anr-card")).to_have_count(2)
    page.evaluate("""() => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
      const picture = document.createElement('img');
      picture.src = 'https://example.org/x.png';
      document.body.append(picture);
      return fetch('https://example.org/').catch(() => null);
    }""")
    assert page.evaluate("window.ran") is None
    assert len([error for error in errors if "Content Security Policy" in error]) >= 3


def test_there_is_no_secret_no_account_and_no_server_in_it() -> None:
    info = info_of(config={"key": TOKEN, "x": math.inf}, notes=f"see {TOKEN}", name=f"run {TOKEN}")
    text = html_file(info, frames_of(3), saved_at=SAVED, failure=f"E: {TOKEN}")
    assert not TOKEN_PATTERN.search(text)
    assert "ada-lovelace" not in text
    assert "permissions" not in text.partition('id="held">')[2].partition("</script>")[0]
    assert "127.0.0.1" not in text


def test_the_widget_saves_such_a_file_from_its_memory(
    context: BrowserContext, offline_too: BrowserContext, tmp_path: Path
) -> None:
    stage = Stage(context).open(name=HOSTILE, config={HOSTILE: TOKEN}, total=4, account="ada-lovelace")
    stage.secrets().points({"train/loss": [1.0, math.nan, 0.25], HOSTILE: [3.0], "system/cpu": [70.0]})
    stage.page.get_by_text("Download", exact=True).click()
    with stage.page.expect_download() as download:
        stage.page.get_by_role("button", name=re.compile("HTML")).click()
        stage.page.wait_for_function("said.some((message) => message.name === 'file')")
        stage.page.evaluate(
            "(bytes) => kernel.send({type: 'asset', name: 'file'}, [new DataView(Uint8Array.from(bytes).buffer)])",
            list(gzip.compress((WEB / "file.txt").read_bytes(), 1)),
        )
    text = download.value.path().read_text(encoding="utf-8")
    assert not TOKEN_PATTERN.search(text)
    assert "ada-lovelace" not in text
    page, errors = opened(offline_too, tmp_path, text)
    expect(page.locator(".anr-card")).to_have_count(2)
    expect(page.locator(".anr-file > header")).to_contain_text("step 2 of 4 (75\u202f%) · 5 points, every one")
    page.get_by_role("tab", name="Summary").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("0.25")
    expect(page.get_by_role("tabpanel")).not_to_contain_text("system/cpu")
    page.get_by_role("tab", name="System").click()
    expect(page.locator(".anr-card")).to_contain_text("70%")
    assert page.locator("img[src=x]").count() == 0
    page.emulate_media(media="print")
    for words in ("train/loss 0.25 0.25 1 3", "system/cpu 70 70 70 1"):
        expect(page.get_by_role("row", name=words)).to_be_visible()
    expect(page.get_by_role("img", name="Chart of train/loss")).to_be_visible()
    assert (stage.errors, errors) == ([], [])


def test_of_very_many_points_extremes_stay_and_the_file_says_so(
    offline: BrowserContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_POINTS", 1_000)
    values = [0.0] * 5_000
    values[1_234] = 99.0
    frame = Frame.of(["loss"], range(5_000), [int(BEGUN.timestamp() * 1e6) + i * 1_000 for i in range(5_000)], [values])
    text = html_file(info_of(total=None), [frame], saved_at=SAVED)
    held = json.loads(text.partition('id="held">')[2].partition("</script>")[0])
    assert held["points"] == 5_000
    assert held["held_points"] <= 1_000
    frames = [frame for segment in decode_all(base64.b64decode(held["segments"])) for frame in segment.frames]
    assert max(value for frame in frames for value in frame.columns[0]) == 99.0
    page, _ = opened(offline, tmp_path, text)
    expect(page.locator(".anr-file > header")).to_contain_text("of 5\u202f000 points: of each stretch")


def test_a_run_without_points_is_a_file_too(offline: BrowserContext, tmp_path: Path) -> None:
    info = info_of(state=RunState.RUNNING, total=None, config={}, summary={}, finished_at=None)
    page, errors = opened(offline, tmp_path, html_file(info, [], saved_at=SAVED))
    expect(page.locator(".anr-file")).to_contain_text("running when this was saved")
    expect(page.locator(".anr-file")).to_contain_text("This run logged nothing.")
    page.get_by_role("tab", name="Config").click()
    expect(page.locator(".anr-file")).to_contain_text("This run has no config.")
    assert errors == []
