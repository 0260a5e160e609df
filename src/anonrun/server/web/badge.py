"""A small picture of how a run stands, for a README: SVG without script, style sheet or font of its own. Pure."""

from __future__ import annotations

import unicodedata
from xml.sax.saxutils import escape, quoteattr

__all__ = ["badge"]

_COLORS = {"running": "#0b63b0", "finished": "#2d7d46", "failed": "#b3261e", "crashed": "#9a5b00"}
_LABEL_COLOR = "#4a4f57"
_LONGEST = 48
_NARROW, _USUAL, _BROAD, _WIDE = 4.2, 6.9, 9.6, 11.0
_PADDING = 6
_HEIGHT = 20


def _shown(text: str) -> str:
    """Return a text on one line, without what has no width or turns what follows around."""
    plain = "".join(" " if unicodedata.category(c) in {"Zl", "Zp"} else c for c in text)
    plain = "".join(c for c in plain if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def _advance(character: str) -> float:
    """Return about how wide a character is, 11 pixels high, in the fonts that are asked for."""
    if unicodedata.east_asian_width(character) in "WF":
        return _WIDE
    return _NARROW if character in " !'()*,./:;I[]fijlrt|" else _BROAD if character in "%@MWmw" else _USUAL


def _width(text: str) -> float:
    return sum(map(_advance, text))


def badge(label: str, value: str, state: str) -> str:
    """Return the picture.

    Args:
        label: what stands left, such as a metric's name; of any length and from anyone.
        value: what stands right.
        state: gives the colour.

    Example:
        >>> "<title>loss: 0.031</title>" in badge("loss", "0.031", "finished")
        True
    """
    left, right = _shown(label), _shown(value)
    # Texts are stretched to these widths, so that any font of the reader's fits.
    inner = [max(1.0, round(_width(text), 1)) for text in (left, right)]
    first, second = (width + 2 * _PADDING for width in inner)
    total = round(first + second, 1)
    said = f"{left}: {right}"

    def text(x: float, width: float, content: str) -> str:
        return (
            f'<text x="{x:.1f}" y="14" textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">'
            f"{escape(content)}</text>"
        )

    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{_HEIGHT}" role="img" '
        f"aria-label={quoteattr(said)}><title>{escape(said)}</title>"
        f'<rect width="{total}" height="{_HEIGHT}" rx="3" fill="{_LABEL_COLOR}"/>'
        f'<path d="M{first:.1f} 0h{second - 3:.1f}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{second - 3:.1f}z" '
        f'fill="{_COLORS.get(state, _LABEL_COLOR)}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f"{text(_PADDING, inner[0], left)}{text(first + _PADDING, inner[1], right)}</g></svg>"
    )
