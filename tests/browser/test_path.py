"""The path that the project is for, as a reader walks it.

Someone without an account opens a notebook, runs all cells, sees the curves grow in the cell under a banner that says
until when the run is kept, clicks Claim, makes an account in the browser, and keeps the run. The notebook, saved,
shows its charts to anyone, with no kernel and no server, and contains no secret.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from support.jupyter import (
    App,
    Jupyter,
    NotebookPage,
    free_port,
    jupyter_server,
    stop_embedded_server,
    write_notebook,
)

pytestmark = pytest.mark.browser

# A training that waits for its test: it goes no further than the step that the file `allowed` holds.
_TRAINING = """
import math, pathlib, time
import anonrun
allowed = pathlib.Path("allowed")
for step in range(STEPS):
    while allowed.exists() and step > int(allowed.read_text()):
        time.sleep(0.02)
    anonrun.log({
        "train/loss": 2 * math.exp(-step / 40) + 0.1, "val/loss": 2 * math.exp(-step / 45) + 0.2,
        "accuracy": 1 - math.exp(-step / 30),
    })
    time.sleep(0.1)
"""
_SECRET = re.compile(r"anr_[a-z]_[0-9A-Za-z]+")


def _allow(jupyter: Jupyter, step: int) -> None:
    """Let the training go on up to a step."""
    fresh = jupyter.root / "allowed.new"
    fresh.write_text(str(step))
    fresh.replace(jupyter.root / "allowed")


def _grow(notebook: NotebookPage) -> list[float]:
    """Let the training take some steps, thrice, and see the curve change each time; return the accuracies shown."""
    canvas = _widget(notebook).locator("canvas").first
    drawn, accuracies = [""], []
    for step in (5, 20, 40):
        _allow(notebook.jupyter, step)
        _wait_for_step(notebook, step)
        notebook.page.wait_for_function(
            "([canvas, before]) => canvas.toDataURL() !== before", arg=[canvas.element_handle(), drawn[-1]]
        )
        drawn.append(canvas.evaluate("(canvas) => canvas.toDataURL()"))
        accuracies.append(_accuracy(notebook))
    return accuracies


def _open(context: BrowserContext, jupyter: Jupyter, *, steps: int) -> NotebookPage:
    cells = ["%load_ext anonrun\n%anonrun --project demo --name digits", _TRAINING.replace("STEPS", str(steps))]
    cells.append("anonrun.finish()")
    write_notebook(jupyter.root / "paper.ipynb", cells)
    return NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()


def _widget(notebook: NotebookPage) -> Locator:
    return notebook.page.locator(".anr-widget")


def _wait_for_step(notebook: NotebookPage, step: int) -> None:
    notebook.page.wait_for_function(
        """(step) => {
          const head = document.querySelector('.anr-widget .anr-head');
          const found = head && /step ([\\d\\s]+)/.exec(head.innerText);
          return !!found && Number(found[1].replace(/\\D/g, '')) >= step;
        }""",
        arg=step,
    )


def _accuracy(notebook: NotebookPage) -> float:
    """Return the current value that the card of `accuracy` shows."""
    card = _widget(notebook).locator(".anr-card", has_text="accuracy")
    return float(re.findall(r"\d\.\d+", card.inner_text())[0])


def _sign_up_and_confirm(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_role("button", name="Create the account").click()
    page.get_by_role("button", name=re.compile(rf"Keep .*{name}")).click()
    page.wait_for_url("**/r/*")


def _static_charts(page: Page) -> int:
    """Return how many of the saved pictures of a run the page really shows."""
    shown: int = page.evaluate(
        """() => [...document.querySelectorAll('.jp-OutputArea-output img')]
          .filter((img) => img.complete && img.naturalWidth > 100 && img.getClientRects().length).length"""
    )
    return shown


def _no_secret(saved: dict[str, Any]) -> None:
    assert not _SECRET.search(json.dumps(saved))
    assert "application/vnd.jupyter.widget-view+json" not in json.dumps(saved["cells"])


def _embedded_pid(jupyter: Jupyter) -> int:
    pid: int = json.loads((jupyter.data_dir / "server" / "state.json").read_text())["pid"]
    return pid


def test_the_whole_path(
    context: BrowserContext, jupyter: Jupyter, picture: Callable[[Page | Locator, str], None]
) -> None:
    _allow(jupyter, 0)
    notebook = _open(context, jupyter, steps=150)
    before = datetime.now(timezone.utc)
    notebook.run_all()
    widget = _widget(notebook)

    # The curves grow while the cell is busy.
    accuracies = _grow(notebook)
    assert notebook.busy
    assert accuracies == sorted(set(accuracies))

    # The banner says until when, in the reader's own zone.
    banner = widget.locator(".anr-banner")
    expect(banner).to_contain_text("Anonymous run. Kept until")
    until = datetime.fromisoformat(str(banner.locator("time").get_attribute("datetime")).replace("Z", "+00:00"))
    assert timedelta(0) <= until - before - timedelta(days=7) < timedelta(minutes=1)
    shown = until.astimezone(ZoneInfo("America/New_York"))
    expect(banner.locator("time")).to_have_text(re.compile(rf"{shown.day} \w+ {shown.year}, {shown:%H:%M}"))
    picture(widget, f"widget-{jupyter.app}")

    # Claim, while the cell is still running.
    with context.expect_page() as opened:
        widget.get_by_role("link", name=re.compile("Claim this run")).click()
    claim = opened.value
    claim.wait_for_load_state()
    assert notebook.busy
    assert "#" not in claim.url
    assert not _SECRET.search(claim.url)
    expect(claim.locator("body")).to_contain_text("digits")
    picture(claim, f"claim-{jupyter.app}")
    _sign_up_and_confirm(claim, "ada")
    expect(claim.locator("body")).to_contain_text("ada")
    expect(claim.locator(".anr-banner", has_text="Anonymous run")).to_have_count(0)
    expect(claim.locator("canvas").first).to_be_visible()
    picture(claim, f"run-{jupyter.app}")

    # The widget learns of it, and the cell goes on.
    expect(banner).to_contain_text("Kept in ada", timeout=40_000)
    assert notebook.busy
    _allow(jupyter, 149)
    notebook.wait_until_idle()
    expect(widget.locator(".anr-head")).to_contain_text("finished")

    # Saved, it holds no secret; re-opened without a kernel, it shows the charts.
    _no_secret(notebook.save())
    notebook.shut_kernel_down()
    notebook.page.close()
    stop_embedded_server(jupyter.data_dir)
    again = NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()
    again.page.locator(".anonrun-snapshot img").first.scroll_into_view_if_needed()
    assert _static_charts(again.page) >= 1
    assert "model not found" not in again.page.content()
    picture(again.page, f"reopened-{jupyter.app}")


def test_claim_works_after_the_kernel_has_died(context: BrowserContext, jupyter: Jupyter) -> None:
    notebook = _open(context, jupyter, steps=600)
    notebook.run_all()
    _wait_for_step(notebook, 10)
    widget = _widget(notebook)
    expect(widget.locator(".anr-banner")).to_contain_text("Kept until")
    notebook.shut_kernel_down()
    expect(widget.get_by_role("link", name=re.compile("Claim this run"))).to_be_visible()
    with context.expect_page() as opened:
        widget.get_by_role("link", name=re.compile("Claim this run")).click()
    _sign_up_and_confirm(opened.value, "grace")
    notebook.page.bring_to_front()
    expect(widget.locator(".anr-banner")).to_contain_text("Kept", timeout=40_000)
    expect(widget.locator(".anr-banner")).not_to_contain_text("Anonymous run")


def test_the_path_with_the_server_gone(context: BrowserContext, jupyter: Jupyter) -> None:
    notebook = _open(context, jupyter, steps=80)
    notebook.run_all()
    _wait_for_step(notebook, 10)
    expect(_widget(notebook).locator(".anr-banner")).to_contain_text("Kept until")
    os.kill(_embedded_pid(jupyter), signal.SIGKILL)
    _wait_for_step(notebook, 60)
    notebook.wait_until_idle()
    expect(_widget(notebook).locator(".anr-head")).to_contain_text("finished")
    _no_secret(notebook.save())
    notebook.shut_kernel_down()
    notebook.page.close()
    stop_embedded_server(jupyter.data_dir)
    again = NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()
    again.page.locator(".anonrun-snapshot img").first.scroll_into_view_if_needed()
    assert _static_charts(again.page) >= 1


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_the_path_without_any_server(context: BrowserContext, tmp_path: Path, app: App) -> None:
    with jupyter_server(tmp_path, app, ANONRUN_SERVER=f"http://127.0.0.1:{free_port()}") as jupyter:
        _allow(jupyter, 0)
        notebook = _open(context, jupyter, steps=60)
        notebook.run_all()
        widget = _widget(notebook)
        _grow(notebook)
        assert notebook.busy

        # It says what it knows, promises no date, and offers nothing that cannot be done.
        expect(widget.locator(".anr-banner")).to_contain_text("The server has not told the date yet.")
        expect(widget.locator(".anr-foot")).to_contain_text(re.compile("No answer from .* wait on disk"))
        claim = widget.get_by_role("link", name=re.compile("Claim this run"))
        expect(claim).to_have_attribute("aria-disabled", "true")
        expect(claim).to_have_attribute("title", re.compile("has not been reached yet"))

        _allow(jupyter, 59)
        notebook.wait_until_idle()
        expect(widget.locator(".anr-head")).to_contain_text("finished")
        expect(notebook.page.locator("body")).to_contain_text("`anonrun sync` delivers them")
        _no_secret(notebook.save())
        notebook.shut_kernel_down()
        notebook.page.close()
        again = NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()
        again.page.locator(".anonrun-snapshot img").first.scroll_into_view_if_needed()
        assert _static_charts(again.page) >= 1
        expect(again.page.locator(".anonrun-snapshot")).to_contain_text("60 rows not yet delivered: anonrun sync")


def test_a_page_reloaded_in_mid_run_has_the_picture_and_then_the_widget(
    context: BrowserContext, jupyter: Jupyter
) -> None:
    cells = ["%load_ext anonrun\n%anonrun", _TRAINING.replace("STEPS", "200")]  # the run goes on after the cell
    write_notebook(jupyter.root / "paper.ipynb", cells)
    _allow(jupyter, 25)
    notebook = NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()
    notebook.run_all()
    _wait_for_step(notebook, 25)
    expect(_widget(notebook).locator(".anr-banner")).to_contain_text("Kept until")
    notebook.save()
    notebook.page.reload()
    picture = notebook.page.locator(".anonrun-snapshot img").first
    picture.scroll_into_view_if_needed()
    assert _static_charts(notebook.page) >= 1
    expect(notebook.page.locator(".anonrun-snapshot")).to_contain_text(re.compile(r"Kept until .* UTC"))
    expect(notebook.page.locator(".anonrun-snapshot")).to_contain_text("Open the run’s page")
    _allow(jupyter, 199)
    expect(_widget(notebook).locator(".anr-head")).to_contain_text("step 199")
    expect(picture).to_be_hidden()


def test_a_page_reloaded_before_the_run_ends_has_the_picture_and_show_tells_the_rest(
    context: BrowserContext, tmp_path: Path
) -> None:
    with jupyter_server(tmp_path) as jupyter:
        _allow(jupyter, 25)
        notebook = _open(context, jupyter, steps=150)
        notebook.run_all()
        _wait_for_step(notebook, 25)
        notebook.save()
        notebook.page.reload()
        _allow(jupyter, 149)
        notebook.open()
        notebook.wait_until_idle()
        pictures = notebook.page.locator(".anonrun-snapshot")
        expect(pictures).to_have_count(1)
        expect(pictures.locator("img")).to_be_visible()
        notebook.run_new_cell("anonrun.show()")
        expect(pictures).to_have_count(2)
        expect(pictures.last.locator("img")).to_have_attribute("alt", re.compile("digits, finished"))


def test_an_untrusted_reader_sees_the_charts(context: BrowserContext, jupyter: Jupyter, tmp_path: Path) -> None:
    notebook = _open(context, jupyter, steps=10)
    notebook.run_all(wait=True)
    saved = notebook.save()
    notebook.page.close()
    saved["cells"].append(
        {"cell_type": "markdown", "id": "changed", "metadata": {}, "source": "Changed by a stranger."}
    )
    (jupyter.root / "stranger.ipynb").write_text(json.dumps(saved))
    stop_embedded_server(jupyter.data_dir)
    again = NotebookPage(context.new_page(), jupyter, "stranger.ipynb").open()
    again.page.locator(".anonrun-snapshot img").first.scroll_into_view_if_needed()
    assert _static_charts(again.page) >= 1
