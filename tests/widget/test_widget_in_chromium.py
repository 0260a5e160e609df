"""The built widget in Chromium: what a reader sees and does, with the kernel busy, gone or lying."""

from __future__ import annotations

import gzip
import math
import re
from datetime import datetime, timedelta, timezone

import pytest
from playwright.sync_api import BrowserContext, expect

from anonrun.core.times import format_time
from widget.stage import AXE, CLAIM, SERVER, VIEW, WEB, Stage, as_json

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("widget")]

_FOCUSED = """() => {
  const e = document.activeElement;
  if (e === document.body) return ['', ''];
  const name = e.getAttribute('aria-label') || e.closest('label')?.innerText || e.innerText || '';
  return [name.split('\\n')[0], getComputedStyle(e).outlineStyle];
}"""
_NOTE_LINKS = """() => {
  window.used = [];
  const note = (event) => used.push(event.target.closest('a').href);
  for (const kind of ['click', 'auxclick']) addEventListener(kind, note);
}"""
NOISY = [math.exp(-i / 40) + 0.1 * math.sin(12.9898 * i) for i in range(200)]
HEALTHY = {"healthz": as_json(200, {"status": "ok", "instance": "mine"})}


def test_before_the_first_point_it_says_that_it_waits(context: BrowserContext) -> None:
    stage = Stage(context).open()
    expect(stage.page.locator(".anr-empty")).to_have_text("waiting for the first point…")
    assert stage.errors == []


def test_banner_tells_the_end_in_the_readers_own_zone(context: BrowserContext) -> None:
    stage = Stage(context).open(expires_at="2099-11-30T22:31:00Z")
    banner = stage.page.locator(".anr-banner")
    expect(banner).to_contain_text("Kept until Mon 30 Nov 2099, 23:31")
    expect(banner.locator("time")).to_have_attribute("title", re.compile(r"Europe/Berlin \(GMT\+1\)"))


@pytest.mark.parametrize(
    ("left_s", "tone"), [(7 * 86_400 - 1, "calm"), (86_000, "day"), (3_000, "hour"), (-1, "expired")]
)
def test_banner_grows_urgent(context: BrowserContext, left_s: int, tone: str) -> None:
    end = format_time(datetime.now(timezone.utc) + timedelta(seconds=left_s))
    stage = Stage(context).open(expires_at=end).secrets()
    expect(stage.page.locator(".anr-banner")).to_have_attribute("data-tone", tone)
    expect(stage.page.get_by_role("link", name="Claim this run")).to_have_count(0 if tone == "expired" else 1)


def test_claim_opens_with_its_secret_in_the_fragment_and_leaves_none_on_the_page(context: BrowserContext) -> None:
    stage = Stage(context).open().secrets()
    claim = stage.page.get_by_role("link", name="Claim this run")
    expect(claim).to_have_attribute("rel", "noopener noreferrer")
    stage.page.evaluate(_NOTE_LINKS)
    for use in (claim.click, lambda: claim.press("Enter"), lambda: claim.click(button="middle")):
        with context.expect_page():
            use()
    assert stage.page.evaluate("used") == [f"{SERVER}claim#c={CLAIM}"] * 3
    stage.page.mouse.move(5, 690)
    html = stage.page.content()
    assert CLAIM not in html
    assert VIEW not in html


def test_claim_before_its_secret_has_come_does_nothing_and_says_why(context: BrowserContext) -> None:
    stage = Stage(context).open()
    claim = stage.page.get_by_role("link", name="Claim this run")
    expect(claim).to_have_attribute("aria-disabled", "true")
    expect(claim).to_have_attribute("title", re.compile("not"))
    claim.click(force=True)
    assert len(context.pages) == 1


def test_a_claim_in_another_tab_is_seen_when_the_reader_comes_back(context: BrowserContext) -> None:
    stage = Stage(context, answers=dict(HEALTHY)).open().secrets()
    expect(stage.page.locator(".anr-banner")).to_contain_text("Anonymous run")
    problem = {"type": "about:blank", "title": "Claimed", "status": 410, "code": "run_claimed", "detail": ""}
    stage.answers["runs/0192-run"] = as_json(410, problem)
    stage.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(stage.page.locator(".anr-banner")).to_contain_text("Kept")
    expect(stage.page.locator(".anr-banner")).not_to_contain_text("Anonymous")
    expect(stage.page.get_by_role("link", name="Claim this run")).to_have_count(0)


def test_a_run_that_was_moved_says_where_to_and_asks_for_nothing(context: BrowserContext) -> None:
    stage = Stage(context, answers=dict(HEALTHY)).open().secrets()
    problem = {"type": "about:blank", "title": "Moved", "status": 410, "code": "run_moved", "detail": "",
               "moved_to": "https://runs.example.org"}  # fmt: skip
    stage.answers["runs/0192-run"] = as_json(410, problem)
    stage.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(stage.page.locator(".anr-banner")).to_contain_text("Moved to https://runs.example.org. This run is kept")
    expect(stage.page.get_by_role("link", name="Claim this run")).to_have_count(0)


def test_on_a_machine_that_is_soon_gone_the_banner_says_how_the_run_gets_to_one_that_stays(
    context: BrowserContext,
) -> None:
    stage = Stage(context).open(temporary="Colab").secrets()
    expect(stage.page.locator(".anr-banner")).to_contain_text("It is on this Colab machine, which may be gone sooner.")
    stage.page.get_by_text("Send to a server").click()
    command = stage.page.get_by_text("%anonrun claim --to https://runs.example.org")
    expect(command).to_be_visible()
    stage.page.set_viewport_size({"width": 420, "height": 600})
    box = command.bounding_box()
    assert box is not None
    assert 0 <= box["x"]
    assert box["x"] + box["width"] <= 420, "a narrow widget cuts nothing off"
    stage = Stage(context).open(temporary=None).secrets()
    expect(stage.page.get_by_text("Send to a server")).to_have_count(0)


def test_points_are_drawn_as_they_come_and_numbers_stand_beside_them(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"train/loss": [2.0, 1.0], "val/loss": [2.5, 1.5]})
    expect(stage.card("loss")).to_contain_text("train1val1.5")
    before = stage.pixels("loss")
    stage.points({"train/loss": [0.25]}, first=2, reset=False)
    expect(stage.card("loss")).to_contain_text("train0.25val1.5")
    stage.page.wait_for_function(
        "(before) => document.querySelector('.anr-card canvas').toDataURL() !== before", arg=before
    )
    assert stage.errors == []


def test_nothing_moves_while_digits_come_and_go(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"train/loss": [0.1638], "val/loss": [0.1638]})
    expect(stage.card("loss")).to_contain_text("train0.1638val0.1638")
    label = stage.card("loss").locator(".anr-label").first
    before = label.bounding_box()
    stage.points({"train/loss": [0.172], "val/loss": [0.5]}, first=1, reset=False)
    expect(stage.card("loss")).to_contain_text("train0.172val0.5")
    assert label.bounding_box() == before


def test_charts_of_one_row_have_their_axis_at_one_height(context: BrowserContext) -> None:
    stage = Stage(context).open()
    stage.page.set_viewport_size({"width": 600, "height": 800})
    stage.points({"a_name_of_some_length/train": [1.0, 0.5], "a_name_of_some_length/val": [1.0, 0.6], "x": [1.0, 2.0]})
    cards = [stage.card("a_name_of_some_length"), stage.card("x")]
    expect(cards[1].locator("canvas")).to_be_visible()
    heads = [card.locator("header").bounding_box() for card in cards]
    assert heads[0]["y"] == heads[1]["y"]
    assert heads[0]["height"] > heads[1]["height"], "one title in two lines, or this test shows nothing"
    plots = [card.locator("canvas").bounding_box() for card in cards]
    assert plots[0]["y"] + plots[0]["height"] == plots[1]["y"] + plots[1]["height"]
    assert plots[1]["height"] > plots[0]["height"]


@pytest.mark.parametrize(
    ("values", "note"),
    [
        pytest.param([1.0], None, id="one point"),
        pytest.param([3.0] * 20, None, id="a constant"),
        pytest.param([0.0, 0.0], None, id="zeros"),
        pytest.param([1.7e308, -1.7e308, 1e308], None, id="the ends of doubles"),
        pytest.param([5e-324, 1e-320], None, id="the smallest doubles"),
        pytest.param([math.nan, math.nan], "no value here is a finite number", id="only NaN"),
        pytest.param([1.0, math.nan, math.inf, -math.inf, 2.0], None, id="holes"),
    ],
)
def test_odd_values_are_drawn_without_complaint(context: BrowserContext, values: list[float], note: str | None) -> None:
    stage = Stage(context).open().points({"x": values})
    expect(stage.card("x").locator("canvas")).to_be_visible()
    if note:
        expect(stage.card("x")).to_contain_text(note)
    stage.page.get_by_label("y axis").select_option("log")
    stage.page.get_by_label("x axis").select_option("wall")
    stage.page.get_by_label("x axis").select_option("relative")
    expect(stage.card("x").locator("canvas")).to_be_visible()
    assert stage.errors == []


def test_the_machine_has_a_tab_of_its_own_and_is_drawn_over_time_whatever_x_is(context: BrowserContext) -> None:
    stage = Stage(context).open(total=400).points({"loss": NOISY, "tokens": NOISY})
    expect(stage.page.get_by_role("tab", name="System")).to_have_count(0)
    stage.points({"system/cpu": [10.0, 90.0, 50.0]}, first=900, reset=False)
    x = stage.page.get_by_label("x axis")
    x.select_option("metric:tokens")
    expect(stage.page.locator(".anr-card")).to_have_count(2)
    expect(stage.page.locator(".anr-head")).to_contain_text(f"step {len(NOISY) - 1} of 400")
    stage.page.get_by_role("tab", name="System").click()
    expect(stage.card("system/cpu").locator("canvas")).to_be_visible()
    expect(stage.card("system/cpu")).to_contain_text("50%")
    expect(x).to_have_value("relative")
    assert x.locator("option").all_inner_texts() == ["relative time", "wall time"]
    x.select_option("wall")
    stage.page.get_by_role("tab", name="Charts").click()
    expect(x).to_have_value("wall")
    assert stage.errors == []


def test_a_logarithmic_axis_says_what_it_cannot_show(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"x": [-1.0, 0.0, 1.0, 10.0]})
    stage.page.get_by_label("y axis").select_option("log")
    expect(stage.card("x")).to_contain_text("2 not above 0, not shown")


def test_names_are_text_and_never_markup(context: BrowserContext) -> None:
    evil = "<img src=x onerror=window.hacked=1>"
    stage = Stage(context).open(name=evil, project=evil, config={evil: evil, "nested": {"<b>": ["</script>"]}})
    stage.secrets().points({evil: [1.0, 2.0], "__proto__": [1.0], "constructor": [2.0]})
    expect(stage.page.locator(".anr-card")).to_have_count(3)
    stage.card(evil).get_by_role("button", name="Enlarge").click()
    expect(stage.page.get_by_role("dialog")).to_be_visible()
    stage.page.keyboard.press("Escape")
    stage.page.get_by_role("tab", name="Config").click()
    expect(stage.page.locator(".anr-config")).to_contain_text(evil)
    assert stage.page.locator(".anr img").count() == 0
    assert stage.page.evaluate("window.hacked") is None
    assert stage.errors == []


def test_a_drag_zooms_all_charts_and_two_ways_lead_back(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": NOISY, "b": NOISY})
    expect(stage.card("b").locator("canvas")).to_be_visible()
    whole = stage.pixels("b")

    def drag() -> None:
        box = stage.card("a").locator(".anr-over").bounding_box()
        assert box is not None
        stage.page.mouse.move(box["x"] + 40, box["y"] + 30)
        stage.page.mouse.down()
        stage.page.mouse.move(box["x"] + 120, box["y"] + 40, steps=3)
        stage.page.mouse.up()
        stage.page.mouse.move(5, 690)

    reset = stage.page.get_by_role("button", name="Reset zoom")
    drag()
    expect(reset).to_be_visible()
    assert stage.pixels("b") != whole
    reset.click()
    expect(reset).to_have_count(0)
    assert stage.pixels("b") == whole
    drag()
    expect(reset).to_be_visible()
    stage.card("b").locator(".anr-over").dblclick()
    expect(reset).to_have_count(0)


def test_the_cursor_moves_by_pointer_and_by_keys_in_all_charts_at_once(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": [5.0, 6.0, 7.0], "b": [0.5, 0.6, 0.7]})
    plot = stage.card("a").locator(".anr-plot")
    plot.focus()
    plot.press("ArrowLeft")
    expect(stage.card("a").locator(".anr-at")).to_have_text("step 2")  # the value stands there without it, too
    expect(stage.card("b").locator(".anr-values")).to_have_text("0.7")
    plot.press("ArrowLeft")
    expect(stage.card("a").locator(".anr-at")).to_have_text("step 1")
    expect(stage.card("b").locator(".anr-values")).to_have_text("0.6")
    plot.press("Escape")
    expect(stage.card("b").locator(".anr-values")).to_have_text("0.7")
    box = stage.card("b").locator(".anr-over").bounding_box()
    assert box is not None
    stage.page.mouse.move(box["x"] + 2, box["y"] + 20)
    expect(stage.card("a").locator(".anr-values")).to_have_text("5")


def test_every_control_is_reached_by_the_tab_key_and_shows_its_focus(context: BrowserContext) -> None:
    stage = Stage(context).open().secrets().points({"a": NOISY})
    expect(stage.card("a").locator("canvas")).to_be_visible()
    reached = []
    for _ in range(20):
        stage.page.keyboard.press("Tab")
        name, outline = stage.page.evaluate(_FOCUSED)
        if name:
            reached.append(name.strip())
            assert outline != "none", name
    for control in (
        "Download",
        "Copy view link",
        "Delete now",
        "Claim this run ↗",
        "Charts",
        "Smoothing",
        "x axis",
        "y axis",
        "Filter metrics",
        "Enlarge a",
    ):
        assert control in reached, reached


def test_the_theme_of_the_page_is_followed_while_it_changes(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": NOISY})
    expect(stage.card("a").locator("canvas")).to_be_visible()
    light = stage.pixels("a")
    stage.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(stage.page.locator(".anr-widget")).to_have_attribute("data-theme", "dark")
    stage.page.wait_for_function(
        "(light) => document.querySelector('.anr-card canvas').toDataURL() !== light", arg=light
    )


def test_charts_far_off_the_screen_are_not_drawn(context: BrowserContext) -> None:
    stage = Stage(context).open().points({f"m{i}": [1.0, 2.0] for i in range(60)})
    expect(stage.page.locator(".anr-card")).to_have_count(60)
    expect(stage.card("m0").locator("canvas")).to_be_visible()
    assert stage.page.locator(".anr-card canvas").count() < 30
    stage.card("m59").scroll_into_view_if_needed()
    expect(stage.card("m59").locator("canvas")).to_be_visible()


def test_the_enlarged_chart_is_plotlys_from_the_server(context: BrowserContext) -> None:
    stage = Stage(context, answers={**HEALTHY, "static": {}}).open().points({"a": NOISY})
    stage.card("a").get_by_role("button", name="Enlarge a").click()
    expect(stage.page.locator(".anr-dialog .js-plotly-plot .main-svg").first).to_be_visible()
    expect(stage.page.locator("[data-title*='loud']")).to_have_count(0)
    stage.page.get_by_text("Values as a table").click()
    expect(stage.page.locator(".anr-dialog tbody tr").first).to_contain_text("199")
    stage.page.keyboard.press("Escape")
    expect(stage.page.locator(".anr-dialog")).to_have_count(0)
    assert stage.errors == []


def test_the_enlarged_chart_is_plotlys_from_the_kernel_where_no_server_is_in_reach(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": NOISY})
    stage.card("a").get_by_role("button", name="Enlarge a").click()
    expect(stage.page.locator(".anr-dialog canvas")).to_be_visible()
    stage.page.wait_for_function("said.some((message) => message.type === 'asset')")
    packed = gzip.compress((WEB / "plotly.js").read_bytes(), 1)
    stage.page.evaluate(
        "(bytes) => kernel.send({type: 'asset', name: 'plotly'}, [new DataView(Uint8Array.from(bytes).buffer)])",
        list(packed),
    )
    expect(stage.page.locator(".anr-dialog .js-plotly-plot .main-svg").first).to_be_visible()
    assert stage.errors == []


def test_without_plotly_the_enlarged_chart_is_drawn_simply_and_says_so(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"a": NOISY})
    stage.page.evaluate("leave()")
    stage.card("a").get_by_role("button", name="Enlarge a").click()
    expect(stage.page.locator(".anr-dialog")).to_contain_text("Drawn in the simple form instead.")
    expect(stage.page.locator(".anr-dialog canvas")).to_be_visible()


def test_the_view_link_can_be_copied_by_hand_where_the_clipboard_is_closed(context: BrowserContext) -> None:
    stage = Stage(context).open().secrets()
    stage.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    stage.page.get_by_role("button", name="Copy view link").click()
    expect(stage.page.get_by_label("View link, to copy")).to_have_value(f"{SERVER}r/0192-run#v={VIEW}")
    assert VIEW not in stage.page.content()


def test_points_are_downloaded_from_the_page_after_the_kernel_is_gone(context: BrowserContext) -> None:
    stage = Stage(context).open().points({"loss": [0.5, math.nan]})
    stage.page.evaluate("leave()")
    stage.page.get_by_text("Download", exact=True).click()
    with stage.page.expect_download() as download:
        stage.page.get_by_role("button", name=re.compile("CSV")).click()
    assert download.value.suggested_filename == "digits-mlp.csv"
    lines = download.value.path().read_text().splitlines()
    assert lines == ["step,time,loss", "0,2026-11-18T11:06:40.000000Z,0.5", "1,2026-11-18T11:06:41.000000Z,NaN"]


def test_delete_asks_first_and_then_says_that_the_run_is_gone(context: BrowserContext) -> None:
    answers = {**HEALTHY, "runs/0192-run": {"status": 204}}
    stage = Stage(context, answers=answers).open().secrets()
    expect(stage.page.get_by_role("link", name="Open in dashboard")).to_be_visible()
    stage.page.get_by_role("button", name="Delete now").click()
    stage.page.get_by_role("button", name="Keep").click()
    stage.page.get_by_role("button", name="Delete now").click()
    stage.page.get_by_role("button", name="Delete", exact=True).click()
    expect(stage.page.locator(".anr-banner")).to_contain_text("Deleted.")


def test_delete_without_a_server_says_what_to_do(context: BrowserContext) -> None:
    stage = Stage(context).open().secrets()
    stage.page.get_by_role("button", name="Delete now").click()
    stage.page.get_by_role("button", name="Delete", exact=True).click()
    expect(stage.page.get_by_role("alert")).to_contain_text("Not deleted: no server in reach from here.")
    expect(stage.page.get_by_role("link", name="Try on its page")).to_be_visible()


def test_trouble_with_delivery_is_told_at_the_foot(context: BrowserContext) -> None:
    stage = Stage(context).open()
    foot = stage.page.locator(".anr-foot")
    stage.trait("status", {"state": "running", "rows": 10, "unsent_rows": 3, "trouble": None})
    expect(foot).to_contain_text("3 rows waiting to be sent, kept on disk meanwhile")
    stage.trait("status", {"state": "running", "rows": 10, "unsent_rows": 3, "trouble": "The disk is full."})
    expect(foot.get_by_role("alert")).to_have_text("The disk is full. 3 rows waiting to be sent.")


@pytest.mark.parametrize("theme", ["true", "false"], ids=["light", "dark"])
def test_accessibility_rules_hold(context: BrowserContext, theme: str) -> None:
    stage = (
        Stage(context)
        .open()
        .secrets()
        .points({"train/loss": NOISY, "val/loss": NOISY, "lr": [1.0], "system/cpu_percent": [3.0]})
    )
    stage.page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", theme)
    expect(stage.page.locator(".anr-card")).to_have_count(2)
    stage.page.add_script_tag(path=str(AXE))
    found = stage.page.evaluate(
        "async () => (await axe.run('.anr-widget')).violations.map((v) => [v.id, v.nodes.map((n) => n.html)])"
    )
    assert found == []
