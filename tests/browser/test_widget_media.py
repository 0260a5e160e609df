"""Pictures, tables and the like in the notebook, while its cell is busy and with no server anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from support.jupyter import NotebookPage, free_port, jupyter_server, write_notebook

pytestmark = pytest.mark.browser

_TRAINING = """
import pathlib, time
import numpy as np
import anonrun
for step in range(3):
    picture = np.arange(256).reshape(16, 16) / 255
    anonrun.log({"loss": 1 / (step + 1), "samples": anonrun.Image(picture, caption="a seven"),
                 "weights": anonrun.Histogram([step + i / 50 for i in range(100)]),
                 "note": anonrun.Text("Kern" + "ing")})
while not pathlib.Path("go-on").exists():
    time.sleep(0.02)
"""
_DRAWN = """() => {
  const picture = document.querySelector('.anr-panel[data-kind=image] .anr-pictures :is(img, canvas)');
  return !!picture && (picture.naturalWidth || picture.width) > 0;
}"""


def test_the_widget_shows_media_from_the_kernel_and_the_file_says_how_many(
    context: BrowserContext, tmp_path: Path
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with jupyter_server(tmp_path, ANONRUN_SERVER=nowhere) as jupyter:
        cells = ["%load_ext anonrun\n%anonrun --project demo --name digits", _TRAINING, "anonrun.finish()"]
        write_notebook(jupyter.root / "paper.ipynb", cells)
        notebook = NotebookPage(context.new_page(), jupyter, "paper.ipynb").open()
        notebook.run_all()
        widget = notebook.page.locator(".anr-widget")
        widget.get_by_role("group", name="Images: samples").scroll_into_view_if_needed()
        notebook.page.wait_for_function(_DRAWN)
        expect(widget.get_by_role("button", name="Enlarge a seven")).to_be_visible()
        expect(widget.get_by_role("group", name="Histogram: weights").locator("canvas").first).to_be_visible()
        expect(widget.get_by_role("group", name="Text: note")).to_contain_text("Kerning")
        assert notebook.busy
        assert widget.locator(".anr-media").evaluate("(media) => getComputedStyle(media).marginTop") == "22px"

        (jupyter.root / "go-on").touch()
        notebook.wait_until_idle()
        expect(widget.locator(".anr-head")).to_contain_text("finished")
        expect(widget.get_by_role("group", name="Images: samples")).to_be_visible()
        saved = json.dumps(notebook.save(), ensure_ascii=False)
        assert len(saved) < 300_000
        assert "samples: 3 images, last at step 2" in saved
        assert "weights: 3 histograms, last at step 2" in saved
        assert "Kerning" not in saved
        assert "widget-view" not in saved
        notebook.shut_kernel_down()
        expect(widget.get_by_role("group", name="Text: note")).to_contain_text("Kerning")
