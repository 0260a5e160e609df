"""A notebook from elsewhere, opened for the first time: JupyterLab does not trust it and sanitises what it shows."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from anonrun.core.wire import Frame
from anonrun.notebook.buffer import RunBuffer
from anonrun.notebook.facts import Facts
from anonrun.notebook.snapshot import bundle
from support.chromium import chromium
from support.jupyter import NotebookPage, jupyter_server

FACTS = Facts(
    run_id="0192f7d0-0000-7000-8000-000000000001",
    name="<b>digits</b>",
    project="digits",
    state="finished",
    anonymous=True,
    expires_at=datetime(2026, 11, 30, 22, 31, tzinfo=timezone.utc),
    url="http://127.0.0.1:45321/r/0192f7d0-0000-7000-8000-000000000001",
)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_static_form_survives_the_sanitiser_and_is_legible(tmp_path: Path, theme: str) -> None:
    buffer = RunBuffer()
    losses = [1 / (i + 1) for i in range(50)]
    buffer.add([Frame.of(["train/loss", "val/loss"], range(50), range(50), [losses, losses])])
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%anonrun")])
    book.cells[0].outputs = [nbformat.v4.new_output("display_data", data=bundle(FACTS, buffer))]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    settings = tmp_path / "settings" / "@jupyterlab" / "apputils-extension" / "themes.jupyterlab-settings"
    with jupyter_server(tmp_path) as jupyter, chromium() as browser:
        settings.write_text(f'{{"theme": "{theme}"}}')
        nbformat.write(book, jupyter.root / "from_elsewhere.ipynb")
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        NotebookPage(page, jupyter, "from_elsewhere.ipynb").open()
        shown = page.locator(".jp-OutputArea-output").first
        image = shown.locator("img")
        expect(image).to_be_visible()
        assert image.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 960
        expect(shown).to_contain_text("Kept until Mon 30 Nov 2026, 22:31 UTC unless claimed, then deleted.")
        expect(shown.locator("b")).to_have_count(0)
        expect(shown.get_by_role("link", name="Open the run’s page")).to_have_attribute("href", FACTS.url or "")
        shown.locator("summary").click()
        expect(shown.locator("td").filter(has_text="val/loss")).to_be_visible()
        contrast = page.evaluate(
            """() => {
              const banner = [...document.querySelectorAll('.jp-OutputArea-output strong')][0].parentElement;
              const light = (color) => color.match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
              const around = getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor;
              return Math.abs(light(getComputedStyle(banner).color) - light(around));
            }"""
        )
        assert contrast > 380, "the banner's words stand out from the page"
        page.screenshot(path=tmp_path / "untrusted.png")
