"""The comparison of pictures sees what a reader would, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageDraw

from support.likeness import difference


def _chart() -> Image.Image:
    picture = Image.new("RGB", (600, 400), "#ffffff")
    pen = ImageDraw.Draw(picture)
    pen.line([(20 + i, 380 - i // 2) for i in range(560)], fill="#0072b2", width=2)
    pen.text((20, 10), "train/loss 0.123", fill="#222222")
    return picture


def _recoloured(picture: Image.Image) -> Image.Image:
    ImageDraw.Draw(picture).line([(20 + i, 380 - i // 2) for i in range(560)], fill="#d55e00", width=2)
    return picture


def _without_its_title(picture: Image.Image) -> Image.Image:
    ImageDraw.Draw(picture).rectangle((0, 0, 599, 40), fill="#ffffff")
    return picture


def _slightly_softer(picture: Image.Image) -> Image.Image:
    return Image.blend(picture, picture.resize((599, 399)).resize((600, 400)), 0.2)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda picture: picture, False),
        (_slightly_softer, False),
        (_recoloured, True),
        (lambda picture: ImageChops.offset(picture, 0, 4), True),
        (lambda picture: picture.crop((0, 0, 600, 399)), True),
    ],
)
def test_what_a_reader_sees_counts(change: Callable[[Image.Image], Image.Image], *, seen: bool) -> None:
    assert (difference(_chart(), change(_chart())) > 0.004) is seen


def test_a_title_that_vanishes_is_seen_in_a_small_picture() -> None:
    small = (0, 0, 200, 60)
    assert difference(_chart().crop(small), _without_its_title(_chart()).crop(small)) > 0.004
