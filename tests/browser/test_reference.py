"""Several runs in a notebook, in a browser: the paper's curve behind the reader's, and earlier runs of the cell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from anonrun.core.reference import Outline, Reference, write_reference
from support.jupyter import Jupyter, NotebookPage, write_notebook

pytestmark = pytest.mark.browser

_TRAINING = """
import math, pathlib, time
import anonrun
for step in range(40):
    anonrun.log({"train/loss": 2 * math.exp(-step / 12) + 0.1, "val/acc": 0.953 * (step + 1) / 40})
while pathlib.Path("hold").exists():
    time.sleep(0.05)
anonrun.finish()
"""


def _reference() -> bytes:
    steps = tuple(range(0, 61, 3))
    acc, loss = (
        (0.961 if step == 39 else 0.97 - 0.9 / (step + 1) for step in steps),
        (2.0 - step / 40 for step in steps),
    )
    seconds = tuple(2.0 * step for step in steps)
    outlines = {"val/acc": Outline(steps, seconds, tuple(acc)), "train/loss": Outline(steps, seconds, tuple(loss))}
    return write_reference(Reference("Table 2 of the paper", outlines))


def _runs(page: Page) -> Locator:
    return page.locator(".anr-widget").get_by_role("group", name="Runs in these charts").get_by_role("button")


def test_the_paper_s_curve_stands_behind_the_reader_s_and_so_do_earlier_runs(
    context: BrowserContext, jupyter: Jupyter, picture: Callable[[Page | Locator, str], None]
) -> None:
    (jupyter.root / "reference.json").write_bytes(_reference())
    (jupyter.root / "hold").touch()
    start = "%load_ext anonrun\n%anonrun --reference reference.json --name NAME"
    write_notebook(jupyter.root / "paper.ipynb", [start.replace("NAME", "reader"), _TRAINING])
    notebook = NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()
    notebook.run_all()
    page = notebook.page

    # The reference is there while the cell is busy, and the difference where the reader's line ends.
    expect(_runs(page)).to_have_text([re.compile("reader"), re.compile("Table 2 of the paper reference")])
    card = page.locator(".anr-widget .anr-card", has_text="val/acc")
    expect(card.locator(".anr-differences")).to_have_text("−0.008 to reference 0.961")
    expect(page.locator(".jp-InputPrompt").nth(1)).to_have_text("[*]:")
    both = card.locator("canvas").evaluate("(canvas) => canvas.toDataURL()")
    _runs(page).nth(1).click()
    expect(_runs(page).nth(1)).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(
        "([canvas, before]) => canvas.toDataURL() !== before", arg=[card.locator("canvas").element_handle(), both]
    )
    _runs(page).nth(1).click()
    picture(page.locator(".anr-widget"), f"reference-{jupyter.app}")
    (jupyter.root / "hold").unlink()
    notebook.wait_until_idle()

    # The cells again: the run of before is a line behind the new one.
    (jupyter.root / "hold").touch()
    notebook.run_all()
    expect(_runs(page)).to_have_text(
        [re.compile("reader"), re.compile("Table 2 of the paper"), re.compile(r"reader \(\w{4}\)")]
    )
    picture(page.locator(".anr-widget"), f"earlier-{jupyter.app}")
    (jupyter.root / "hold").unlink()
    notebook.wait_until_idle()

    # What is saved shows the reference to anyone, and no earlier run.
    saved = json.dumps(notebook.save())
    assert not re.search(r"anr_[a-z]_", saved)
    assert "with Table 2 of the paper behind it" in saved
    assert "0.953, reference 0.961: \\u2212" in saved
    assert not re.search(r"reader \(\w{4}\)", saved)
