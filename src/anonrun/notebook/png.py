"""A scene as a PNG, for viewers that show neither HTML nor SVG: GitHub, mail, LaTeX.

Drawn large and made smaller, which smooths the edges, with few colours, which keeps the file small.
Pillow brings a font of its own, so that nothing need be installed; it knows Western letters only,
so other text is drawn in the first font of the system that is found.
"""

from __future__ import annotations

import base64
import contextlib
import io
import math
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from anonrun.notebook.scene import BULLET, DASHED_KEY, KEY, LIGHT, Dot, Line, Rect, Run, Scene, Text

__all__ = ["to_png", "to_png_text"]

_OVERSAMPLE = 2
_COLORS = 64
_OTHER_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "arial.ttf", "Arial.ttf")

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@cache
def _built_in_font(size: int) -> Font:
    return ImageFont.load_default(size)


@cache
def _other_font(size: int) -> Font:
    for name in _OTHER_FONTS:
        with contextlib.suppress(OSError):
            return ImageFont.truetype(name, size)
    return _built_in_font(size)


def _font(text: str, size: int) -> Font:
    plain = all(" " <= char <= "~" or char in "·…–“”±" for char in text)
    return _built_in_font(size) if plain else _other_font(size)


@cache
def _mixed(color: str, opacity: float) -> str:
    """Return a colour as it looks at `opacity` on a card."""
    front, back = (bytes.fromhex(LIGHT[name][1:]) for name in (color, "card"))
    return "#" + bytes(round(f * opacity + b * (1 - opacity)) for f, b in zip(front, back, strict=True)).hex()


Point = tuple[float, float]


def _dashes(points: list[Point], on: float, off: float) -> Iterator[list[Point]]:
    """Yield the parts of a polyline that are drawn, since Pillow draws no dashes."""
    drawing, left = True, on
    part = [points[0]]
    for (x, y), (to_x, to_y) in pairwise(points):
        length, done = math.hypot(to_x - x, to_y - y), 0.0
        while length - done > left:
            done += left
            at = (x + (to_x - x) * done / length, y + (to_y - y) * done / length)
            if drawing:
                yield [*part, at]
            drawing, left, part = not drawing, off if drawing else on, [at]
        left -= length - done
        part.append((to_x, to_y))
    if drawing:
        yield part


class _Painter:
    def __init__(self, scene: Scene, scale: float) -> None:
        self._scale = scale
        self.image = Image.new("RGB", (round(scene.width * scale), round(scene.height * scale)), LIGHT["bg"])
        self._draw = ImageDraw.Draw(self.image)
        self._by_kind: dict[type, Callable[..., None]] = {
            Rect: self._rect, Line: self._line, Dot: self._dot, Text: self._text,
        }  # fmt: skip

    def paint(self, scene: Scene) -> None:
        for shape in scene.shapes:
            self._by_kind[type(shape)](shape)

    def _rect(self, rect: Rect) -> None:
        k = self._scale
        box = (rect.x * k, rect.y * k, (rect.x + rect.width) * k, (rect.y + rect.height) * k)
        border = LIGHT[rect.stroke] if rect.stroke else None
        self._draw.rounded_rectangle(box, rect.radius * k, fill=LIGHT[rect.fill], outline=border, width=round(k))

    def _line(self, line: Line) -> None:
        k = self._scale
        points = [(x * k, y * k) for x, y in line.points]
        color, width = _mixed(line.color, line.opacity), max(1, round(line.width * k))
        parts = [points] if line.dash is None else _dashes(points, line.dash[0] * k, line.dash[1] * k)
        for part in parts:
            self._draw.line(part, fill=color, width=width, joint="curve")

    def _dot(self, dot: Dot) -> None:
        k = self._scale
        self._draw.circle((dot.x * k, dot.y * k), dot.radius * k, fill=LIGHT[dot.color])

    def _text(self, text: Text) -> None:
        size = round(text.size * self._scale)
        widths = [run.gap * self._scale + self._width(run, size) for run in text.runs]
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
        x = text.x * self._scale - shift * sum(widths)
        for run, width in zip(text.runs, widths, strict=True):
            place = (x + run.gap * self._scale, text.y * self._scale)
            self._run(run, place, size)
            x += width

    def _run(self, run: Run, place: tuple[float, float], size: int) -> None:
        x, y = place
        color, middle = LIGHT[run.color], y - size * 0.34
        if run.text == KEY:
            box = (x, middle - size * 0.11, x + size * 0.75, middle + size * 0.11)
            self._draw.rounded_rectangle(box, size * 0.1, fill=color)
        elif run.text == DASHED_KEY:
            for left in (x, x + size * 0.5):
                box = (left, middle - size * 0.08, left + size * 0.35, middle + size * 0.08)
                self._draw.rectangle(box, fill=color)
        elif run.text == BULLET:
            self._draw.circle((x + size * 0.3, middle), size * 0.28, fill=color)
        else:
            text = run.text.replace("\u202f", " ").replace("\u2212", "-")
            weight = size / 36 if run.bold else 0
            self._draw.text(place, text, color, _font(text, size), anchor="ls", stroke_width=weight)

    def _width(self, run: Run, size: int) -> float:
        if run.text in (KEY, BULLET, DASHED_KEY):
            return size * {KEY: 0.75, BULLET: 0.6, DASHED_KEY: 0.85}[run.text]
        text = run.text.replace("\u202f", " ").replace("\u2212", "-")
        return _font(text, size).getlength(text)


def to_png(scene: Scene, scale: float = 1.5) -> bytes:
    """Return the scene as a PNG with `scale` pixels for each CSS pixel."""
    painter = _Painter(scene, scale * _OVERSAMPLE)
    painter.paint(scene)
    small = painter.image.reduce(_OVERSAMPLE)
    small = small.quantize(_COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    sink = io.BytesIO()
    small.save(sink, "PNG")
    return sink.getvalue()


def to_png_text(scene: Scene, scale: float) -> str:
    """Return the PNG in base64, as displays carry it."""
    return base64.b64encode(to_png(scene, scale)).decode("ascii")
