"""Whether a page looks as it did: a screenshot beside the picture of it that was looked at and committed.

Half-size copies are compared, so that edges which another Chromium smooths otherwise do not count, and what moved,
vanished or changed its colour does. `ANONRUN_PICTURES_AGAIN=1` takes the pictures anew: look at them before they are
committed.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Locator, Page

__all__ = ["PICTURES", "assert_looks_as_before", "difference"]

PICTURES = Path(__file__).parents[1] / "pictures"
_AGAIN = os.environ.get("ANONRUN_PICTURES_AGAIN") == "1"
_SEEN = 40
_MOST = 0.004
_PATIENCE_S = 20.0


def difference(before: Image.Image, after: Image.Image) -> float:
    """Return the share of pixels that look different, from 0 to 1; 1 for pictures of another size."""
    if before.size != after.size:
        return 1.0
    size = (max(1, before.width // 2), max(1, before.height // 2))
    halves = (picture.convert("RGB").resize(size, Image.Resampling.BOX) for picture in (before, after))
    channels = ImageChops.difference(*halves).split()
    most = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
    return sum(most.histogram()[_SEEN:]) / (size[0] * size[1])


def assert_looks_as_before(what: Locator | Page, name: str, tmp_path: Path, *, but: Sequence[Locator] = ()) -> None:
    """Insist that something looks as in its picture, at the latest when all that it draws is drawn.

    Args:
        what: whole page or a part of it.
        name: of the picture, without its ending.
        tmp_path: where a picture that differs is put.
        but: parts that change by themselves, such as times; they are painted over.
    """
    reference = PICTURES / f"{name}.png"
    if _AGAIN:
        PICTURES.mkdir(exist_ok=True)
        before = _still(what, but)
        before.convert("RGB").quantize(128).save(reference, optimize=True)
        return
    with Image.open(reference) as before:
        deadline = time.monotonic() + _PATIENCE_S
        while (share := difference(before, after := _shot(what, but))) > _MOST and time.monotonic() < deadline:
            time.sleep(0.2)
        seen = tmp_path / f"{name}.png"
        after.save(seen)
        assert share <= _MOST, f"{share:.2%} of {seen} differ from {reference} ({before.size} before, {after.size} now)"


def _shot(what: Locator | Page, but: Sequence[Locator]) -> Image.Image:
    taken = what.screenshot(animations="disabled", caret="hide", mask=list(but), mask_color="#888888", scale="css")
    return Image.open(io.BytesIO(taken))


def _still(what: Locator | Page, but: Sequence[Locator]) -> Image.Image:
    """Return a picture of something that has come to rest."""
    before, after = None, _shot(what, but)
    while before is None or before.tobytes() != after.tobytes():
        time.sleep(0.5)
        before, after = after, _shot(what, but)
    return after
