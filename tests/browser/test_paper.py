"""The paper's notebook in a plain JupyterLab: the reader's curves over the paper's."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.jupyter import NotebookPage, jupyter_server

pytestmark = pytest.mark.browser
_NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_the_reader_s_curves_lie_over_the_paper_s(tmp_path: Path, browser: Browser) -> None:
    with jupyter_server(tmp_path) as jupyter, browser.new_context(viewport={"width": 1280, "height": 1500}) as context:
        context.set_default_timeout(60_000)
        for name in ("paper_demo_colab.ipynb", "paper_reference.json"):
            shutil.copy(_NOTEBOOKS / name, jupyter.root)
        notebook = NotebookPage(context.new_page(), jupyter, "paper_demo_colab.ipynb").open()
        notebook.run_all()
        widget = notebook.page.locator(".anr-widget")
        expect(widget.locator("canvas")).to_have_count(6)
        expect(widget).to_contain_text(re.compile(r"mine\s*paper\s*reference"))
        expect(widget).to_contain_text(re.compile(r"[+−±][\d.e−-]+ to reference"))
        expect(widget.locator(".anr-head")).to_contain_text(re.compile(r"finished.*step 159"))
        notebook.wait_until_idle()
        page = notebook.page.content()
        assert "by the averaged network" in page
        assert "@misc{" in page
