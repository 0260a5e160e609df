"""A scene as SVG text, meant to stand in an `<img>`: self-contained, no script, no outer resource.

Each colour is a class, and a media query swaps the palette where the reader's page is dark.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from anonrun.notebook.scene import DARK, DASHED_KEY, KEY, LIGHT, Dot, Line, Rect, Run, Scene, Shape

__all__ = ["data_uri", "to_svg"]

_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def _variables(palette: dict[str, str]) -> str:
    return "".join(f"--{name}:{color};" for name, color in palette.items())


def _style() -> str:
    classes = "".join(f".f-{name}{{fill:var(--{name})}}.k-{name}{{stroke:var(--{name})}}" for name in LIGHT)
    return (
        f"svg{{{_variables(LIGHT)}font-family:{_FONT};font-variant-numeric:tabular-nums}}"
        f"@media(prefers-color-scheme:dark){{svg{{{_variables(DARK)}}}}}"
        "path{fill:none;stroke-linejoin:round;stroke-linecap:round}.b{font-weight:600}"
        f"{classes}"
    )


def _number(value: float) -> str:
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def _path(points: Iterable[tuple[float, float]]) -> str:
    """Return path data in tenths of a pixel, relative, which takes half the room of absolute positions."""
    parts: list[str] = []
    at = (0, 0)
    for x, y in points:
        to = (round(x * 10), round(y * 10))
        dx, dy = (_number((b - a) / 10) for a, b in zip(at, to, strict=True))
        parts.append(f"{'l' if parts else 'M'}{dx}{'' if dy.startswith('-') else ' '}{dy}")
        at = to
    return "".join(parts)


def _run(run: Run) -> str:
    gap = f' dx="{_number(run.gap)}"' if run.gap else ""
    weight = " b" if run.bold or run.text in (KEY, DASHED_KEY) else ""
    return f'<tspan class="f-{run.color}{weight}"{gap}>{escape(run.text)}</tspan>'


def _shape(shape: Shape) -> str:
    if isinstance(shape, Rect):
        stroke = f" k-{shape.stroke}" if shape.stroke else ""
        radius = f' rx="{_number(shape.radius)}"' if shape.radius else ""
        size = f'width="{_number(shape.width)}" height="{_number(shape.height)}"'
        place = f'x="{_number(shape.x)}" y="{_number(shape.y)}" {size}'
        return f'<rect {place}{radius} class="f-{shape.fill}{stroke}"/>'
    if isinstance(shape, Line):
        opacity = f' opacity="{shape.opacity:.2g}"' if shape.opacity < 1 else ""
        dash = f' stroke-dasharray="{shape.dash[0]:g} {shape.dash[1]:g}"' if shape.dash else ""
        look = f'class="k-{shape.color}" stroke-width="{shape.width:g}"{dash}{opacity}'
        return f'<path d="{_path(shape.points)}" {look}/>'
    if isinstance(shape, Dot):
        return f'<circle cx="{_number(shape.x)}" cy="{_number(shape.y)}" r="{shape.radius:g}" class="f-{shape.color}"/>'
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    runs = "".join(map(_run, shape.runs))
    return f'<text x="{_number(shape.x)}" y="{_number(shape.y)}" font-size="{shape.size:g}"{anchor}>{runs}</text>'


def to_svg(scene: Scene) -> str:
    """Return the scene as a complete SVG document."""
    width, height = _number(scene.width), _number(scene.height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"<style>{_style()}</style>{''.join(map(_shape, scene.shapes))}</svg>"
    )


def data_uri(svg: str) -> str:
    """Return the SVG as an address for `<img src>`; percent-encoded only where it must be, to stay small."""
    return "data:image/svg+xml," + quote(svg.replace('"', "'"), safe=" ,;:/?=@()[]{}!$*'+-._~|")
