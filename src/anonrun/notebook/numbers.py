"""Numbers as a reader wants them: values to four digits, round tick values, short steps.

Pure. The front end writes numbers the same way (`js/charts/format.ts`).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal

__all__ = ["duration_text", "number_text", "tick_texts", "ticks", "unit_of", "utc_text"]

_THIN_SPACE = "\u202f"
_MINUS = "\u2212"
_DIGITS = 4
_SMALL = 1e-3
_LEAST_PLAIN_TICK = 2e-3
_LARGE = 1e7
_LARGEST = 1e12
_SCALES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_TICK_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _short(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _signed(text: str) -> str:
    return _MINUS + text[1:] if text.startswith("-") else text


def _in_powers(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    return _signed(f"{_short(mantissa)}e{int(exponent)}")


def _grouped(value: float, decimals: int) -> str:
    return f"{value:,.{decimals}f}".replace(",", _THIN_SPACE)


def number_text(value: float) -> str:
    r"""Return a value to about four significant digits.

    Example:
        >>> [number_text(v) for v in (0.24131, 95.8, 3.1e-4, 2164.2, 0.0, float("nan"), -7.0)]
        ['0.2413', '95.8', '3.1e-4', '2\u202f164', '0', 'NaN', '−7']
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else f"{_MINUS}∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size < _SMALL or size >= _LARGE:
        return _in_powers(value, _DIGITS - 1)
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(size))) if size >= 1 else _DIGITS
    return _signed(_short(_grouped(value, decimals)))


_UNITS = tuple(
    (re.compile(pattern), unit)
    for pattern, unit in (
        (r"^system/(.+/)?(cpu|memory|disk|utilization)$", "%"),
        (r"^system/(.+/)?process_memory$", "MB"),
        (r"^system/(.+/)?network_(sent|received)$", "MB/s"),
        (r"^system/(.+/)?temperature$", "°C"),
        (r"^system/(.+/)?power$", "W"),
        (r"per_s(ec(ond)?)?$", "/s"),
        (r"(_s|_sec|_secs|_seconds)$", "s"),
        (r"(_ms|_millis)$", "ms"),
        (r"_us$", "µs"),
        (r"(_min|_minutes)$", "min"),
        (r"(_percent|_pct|percent|_%)$", "%"),
        (r"_bytes$", "B"),
        (r"_kb$", "kB"),
        (r"_mb$", "MB"),
        (r"_gb$", "GB"),
        (r"_mib$", "MiB"),
        (r"_gib$", "GiB"),
        (r"_hz$", "Hz"),
        (r"_(watts?|w)$", "W"),
        (r"_(celsius|temp_c)$", "°C"),
    )
)


def unit_of(metric: str) -> str:
    """Return the unit that a metric's name ends with, or "" where it names none; nothing is guessed.

    Example:
        >>> unit_of("samples_per_s"), unit_of("epoch_seconds"), unit_of("loss")
        ('/s', 's', '')
    """
    return next((unit for pattern, unit in _UNITS if pattern.search(metric.lower())), "")


def ticks(low: float, high: float, about: int) -> list[float]:
    """Return round values between `low` and `high`, about as many as asked for, in rising order."""
    raw = high / max(1, about) - low / max(1, about)
    if not raw > 0 or not math.isfinite(raw):
        return [low]
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next((m * magnitude for m in _TICK_STEPS if m * magnitude >= raw * (1 - 1e-9)), 10 * magnitude)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def tick_texts(values: Sequence[float]) -> list[str]:
    r"""Return labels for ticks: as many digits as tell them apart, and the same number in all.

    Example:
        >>> tick_texts([0.0, 0.5, 1.0]), tick_texts([2000.0, 2200.0]), tick_texts([0.0, 5e-4])
        (['0', '0.5', '1.0'], ['2\u202f000', '2\u202f200'], ['0', '5e-4'])
        >>> tick_texts([0.0, 20000.0, 40000.0])
        ['0', '20k', '40k']
    """
    largest = max((abs(value) for value in values), default=0.0)
    if largest == 0:
        return ["0"] * len(values)
    if largest >= _LARGEST or largest < _LEAST_PLAIN_TICK:
        return ["0" if value == 0 else _in_powers(value, 2) for value in values]
    factor, letter = next(((size, letter) for size, letter in _SCALES if largest >= 10 * size), (1.0, ""))
    if len(values) == 1:
        return [number_text(value / factor) + letter for value in values]
    spacing = min(b - a for a, b in itertools.pairwise(values)) / factor
    decimals = max(0, -int(Decimal(f"{spacing:.3g}").normalize().as_tuple().exponent))
    return ["0" if value == 0 else _signed(_grouped(value / factor, decimals)) + letter for value in values]


def duration_text(seconds: float) -> str:
    """Return a length of time as a clock shows it.

    Example:
        >>> duration_text(42.3), duration_text(3725)
        ('00:42', '1:02:05')
    """
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def utc_text(instant: datetime) -> str:
    """Return an instant in a form that means the same to a reader anywhere, whenever they read it.

    Example:
        >>> utc_text(datetime(2026, 11, 30, 22, 31, 5, tzinfo=timezone.utc))
        'Mon 30 Nov 2026, 22:31 UTC'
    """
    at = instant.astimezone(timezone.utc)
    return f"{_WEEKDAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"
