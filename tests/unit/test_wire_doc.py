"""docs/wire.md says what the code does: every offset, number and reason, and the example byte by byte."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from anonrun.client.spool.records import HEAD_SIZE
from anonrun.core import limits, wire
from anonrun.core.damage import Reason
from anonrun.core.metrics import name_problem

_ROOT = Path(__file__).parents[2]
_DOC = (_ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
_SCRIPT = (_ROOT / "js" / "api" / "decode.ts").read_text(encoding="utf-8")
_HEADER = [
    ("magic", "4s"), ("version", "B"), ("codec", "B"), ("flags", "H"), ("writer", "Q"), ("seq", "Q"), ("rows", "I"),
    ("points", "I"), ("raw_size", "I"), ("body_size", "I"), ("CRC-32", "I"),
]  # fmt: skip
_LIMITS = {
    "segment_raw_bytes": limits.DEFAULT_LIMITS.segment_raw_bytes,
    "MAX_ZLIB_RATIO": wire.MAX_ZLIB_RATIO,
    "MAX_SEGMENT_FRAMES": limits.MAX_SEGMENT_FRAMES,
    "MAX_SEGMENT_COLUMNS": limits.MAX_SEGMENT_COLUMNS,
    "MAX_METRIC_NAME_BYTES": limits.MAX_METRIC_NAME_BYTES,
}


def section(title: str) -> str:
    return re.split(r"^## ", _DOC.partition(f"## {title}")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not row[0].startswith("---")]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def explained(data: bytes) -> Iterator[tuple[bytes, str]]:
    """Yield the fields of an uncompressed segment and what they say."""
    at = 0
    for name, code in _HEADER:
        size = struct.calcsize(f"<{code}")
        (value,) = struct.unpack_from(f"<{code}", data, at)
        said = value.decode() if name == "magic" else f"{value:#010x}" if name == "CRC-32" else value
        yield data[at : at + size], f"{name} {said}"
        at += size
    for frame in wire.decode(data).frames:
        yield data[at : at + 2], f"metrics {len(frame.names)}"
        yield data[at + 2 : at + 4], "zero"
        yield data[at + 4 : at + 8], f"rows {len(frame.steps)}"
        at += 8
        for name in frame.names:
            size = len(name.encode())
            yield data[at : at + 2], f"{size} bytes of name"
            yield data[at + 2 : at + 2 + size], name
            at += 2 + size
        pad = -(at - wire.HEADER_SIZE) % 8
        if pad:
            yield data[at : at + pad], "up to a multiple of 8"
            at += pad
        columns = [("step", frame.steps), ("time", frame.times_us), *zip(frame.names, frame.columns, strict=True)]
        for name, column in columns:
            for value in column:
                yield data[at : at + 8], f"{name} {value}"
                at += 8


def dump(data: bytes) -> str:
    lines, at = [], 0
    for field, said in explained(data):
        lines.append(f"{at:04x}  {field.hex(' '):<29}  {said}")
        at += len(field)
    return "\n".join(lines)


def test_the_example_is_the_golden_segment_and_each_of_its_fields() -> None:
    data = (_ROOT / "tests" / "vectors" / "two_frames.bin").read_bytes()
    shown = section("An example").partition("```dump\n")[2].partition("\n```")[0]
    assert shown == dump(data)
    lines = [re.fullmatch(r"([0-9a-f]{4})  ((?:[0-9a-f]{2} )+) +(\S.*)", line) for line in shown.splitlines()]
    assert b"".join(bytes.fromhex(line[2]) for line in lines if line) == data


def test_the_header_is_laid_out_as_the_table_says() -> None:
    table = rows_of(section("Header"))[1:12]
    at = 0
    for (name, code), (offset, size, kind, what) in zip(_HEADER, table, strict=True):
        assert (int(offset), int(size)) == (at, struct.calcsize(f"<{code}"))
        assert kind in ("bytes", f"u{8 * int(size)}")
        assert what.startswith(name) or name in what
        at += int(size)
    assert section("Header").startswith(f": {at} bytes")
    assert at == wire.HEADER_SIZE
    data = wire.encode([], writer=3, seq=5)
    assert struct.unpack_from("<" + "".join(code for _, code in _HEADER), data)[:6] == (b"ANRS", 1, 0, 0, 3, 5)


def test_version_codecs_and_media_type_are_those_of_the_code() -> None:
    assert f"version: {wire.VERSION}" in section("Header")
    codecs = [int(row[0]) for row in rows_of(section("Header")) if row[0].isdecimal() and len(row) == 2]
    assert codecs == [wire.CODEC_RAW, wire.CODEC_ZLIB]
    assert f"`{wire.CONTENT_TYPE}`" in _DOC


def test_limits_are_those_of_the_code() -> None:
    said = {row[0].strip("`"): number(row[1]) for row in rows_of(section("Limits"))[1:]}
    assert said == _LIMITS
    reading = section("Reading")
    assert f"raw_size` ≤ {wire.MAX_ZLIB_RATIO:,} × `body_size`" in reading
    assert f"1 to {limits.MAX_METRIC_NAME_BYTES:,}" in reading
    assert f"| {wire.HEADER_SIZE} bytes are there |" in reading
    (chars,) = re.findall(r"\((\d+) characters, all printable\)", section("Limits"))
    assert name_problem("x" * int(chars)) is None
    assert name_problem("x" * (int(chars) + 1)) is not None
    (smallest,) = re.findall(r"the smallest has (\d+) bytes", section("Limits"))
    assert len(wire.encode([wire.Frame.of(["x"], [0], [0], [[0.0]])], writer=0, seq=0)) == 44 + int(smallest)


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("HEADER_SIZE", wire.HEADER_SIZE), ("VERSION", wire.VERSION), ("CODEC_RAW", wire.CODEC_RAW),
        ("CODEC_ZLIB", wire.CODEC_ZLIB), ("MAX_ZLIB_RATIO", wire.MAX_ZLIB_RATIO),
        ("MAX_RAW_SIZE", _LIMITS["segment_raw_bytes"]), ("MAX_NAME_BYTES", limits.MAX_METRIC_NAME_BYTES),
        ("MAX_FRAMES", limits.MAX_SEGMENT_FRAMES), ("MAX_COLUMNS", limits.MAX_SEGMENT_COLUMNS),
    ],
)  # fmt: skip
def test_the_reader_in_the_browser_has_the_same_numbers(constant: str, value: int) -> None:
    (said,) = re.findall(rf"^const {constant} = (\d+);", _SCRIPT, re.MULTILINE)
    assert int(said) == value


def test_every_reason_is_in_the_table_and_in_both_readers() -> None:
    reasons = {reason.value for reason in Reason}
    assert {row[1].strip("`") for row in rows_of(section("Reading"))[1:]} == reasons
    assert set(re.findall(r'^  \| "(\w+)"', _SCRIPT, re.MULTILINE)) == reasons


def test_the_spools_head_has_the_size_that_the_page_gives() -> None:
    assert f"a {HEAD_SIZE}-byte head" in section("Spool")
