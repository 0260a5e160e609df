"""docs/storage.md says what the code does; its examples are read by a second, independent reader."""

from __future__ import annotations

import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from anonrun.store import chunks, columns
from anonrun.store.schema import (
    ALIAS,
    ARTIFACT,
    ARTIFACT_FILE,
    ARTIFACT_NAME,
    AXIS,
    BLOB,
    BLOB_PART,
    CHUNK,
    MEDIA,
    METRIC,
    RUN,
    SEG,
    TAIL,
    USE,
    WRITER,
)

_DOC = (Path(__file__).parents[2] / "docs" / "storage.md").read_text(encoding="utf-8")
_HEAD = [("codec", "B"), ("kind", "B"), ("zero", "H"), ("n", "I"), ("CRC-32", "I")]
_INTEGERS = 1


def section(title: str) -> str:
    return re.split(r"^## ", _DOC.partition(f"## {title}")[2], maxsplit=1, flags=re.MULTILINE)[0]


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not row[0].startswith("---")]


def read(data: bytes) -> list[int] | list[float]:
    """Decode a column of codec 0 or 1 by what the page says, with the standard library only."""
    codec, kind, zero, n, crc = struct.unpack_from("<BBHII", data)
    assert (zero, crc) == (0, zlib.crc32(data[:8] + data[12:]))
    payload = data[12:]
    if codec == 1:
        planes = zlib.decompress(payload)
        payload = b"".join(bytes(planes[byte * n + i] for byte in range(8)) for i in range(n))
        if kind == _INTEGERS:
            total, values = 0, []
            for (difference,) in struct.iter_unpack("<q", payload):
                total = (total + difference) % 2**64
                values.append(total - 2**64 if total >> 63 else total)
            return values
    return [value for (value,) in struct.iter_unpack("<q" if kind == _INTEGERS else "<d", payload)]


def bits(values: object) -> list[bytes]:
    return [struct.pack("<q" if isinstance(value, int) else "<d", value) for value in values]  # type: ignore[attr-defined]  # a list


EXAMPLES = [
    pytest.param(
        int(what.rpartition(" ")[2]),
        [float(v) if re.search(r"[.a-z]", said) else int(v) for v in said.split(", ")],
        bytes.fromhex(data.strip("`")),
        id=what,
    )
    for what, said, data in rows_of(section("A column, byte by byte"))[-4:]
]


@pytest.mark.parametrize(("codec", "values", "data"), EXAMPLES)
def test_an_example_is_what_the_code_reads_and_writes(codec: int, values: list[int] | list[float], data: bytes) -> None:
    assert data[0] == codec
    assert bits(columns.unpack(data).tolist()) == bits(values)
    packed = columns.pack(np.array(values), codec=codec)
    if codec == columns.CODEC_RAW:
        assert packed == data
    if codec != columns.CODEC_PCODEC:  # its own format, which another library reads
        assert bits(read(data)) == bits(read(packed)) == bits(values)


def test_the_second_reader_agrees_on_every_kind_of_value() -> None:
    odd = np.frombuffer(struct.pack("<9Q", *(1 << i for i in range(0, 63, 7))), "<f8")
    steps = np.array([0, -(2**63), 2**63 - 1, 5, 5, 4, -1, 7])
    for codec in (columns.CODEC_RAW, columns.CODEC_ZLIB):
        for values in (odd, steps, np.array([math.nan, -0.0, math.inf] * 4)):
            assert bits(read(columns.pack(values, codec=codec))) == bits(values.tolist())


def test_the_head_is_laid_out_as_the_table_says() -> None:
    at = 0
    for (name, code), (offset, size, kind, what) in zip(
        _HEAD, rows_of(section("A column, byte by byte"))[1:6], strict=True
    ):
        assert (int(offset), int(size), kind) == (at, struct.calcsize(f"<{code}"), f"u{8 * int(size)}")
        assert what.startswith(name)
        at += int(size)
    assert at == columns.HEAD_SIZE


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    assert f"up to {chunks.CHUNK_POINTS:,} in a chunk" in _DOC
    assert f"All but the last hold {chunks.CHUNK_POINTS:,} values" in _DOC
    assert f"an entry for each {chunks.BLOCK_POINTS} rows" in section("Rollups")
    for n, codec in ((7, columns.CODEC_RAW), (8, columns.CODEC_ZLIB)):
        assert columns.pack(np.arange(n), codec=columns.CODEC_ZLIB)[0] == codec
    assert "Fewer than 8 values are always codec 0" in _DOC


def test_rollups_hold_what_the_table_says() -> None:
    values = np.array([0.5, math.nan, -2.0, *[7.0] * 62, math.nan])
    low, high, first, last = np.reshape(read(chunks.packed_rollup(values)), (4, 2)).tolist()
    assert (low, high, first) == ([-2.0, 7.0], [7.0, 7.0], [0.5, 7.0])
    assert last[0] == 7.0
    assert math.isnan(last[1])
    axis = chunks.Axis(np.arange(70), np.arange(70) * 10, np.ones(70, np.int64)).columns()
    assert read(axis["rollup"]) == [0, 64, 0, 640]  # type: ignore[arg-type]  # bytes


def test_the_tables_and_their_keys_are_those_of_the_schema() -> None:
    said = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows_of(section("From segment to chunk"))[1:]}
    tables = (RUN, METRIC, WRITER, SEG, TAIL, AXIS, CHUNK, MEDIA)
    assert said == {table.name: [key.name for key in table.primary_key][1:] for table in tables}
    assert all(next(iter(table.primary_key)).name == "run_id" for table in tables)
    of_files = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows_of(section("Files of artifacts"))[1:]}
    tables = (ARTIFACT, ARTIFACT_FILE, ARTIFACT_NAME, ALIAS, USE, BLOB, BLOB_PART)
    assert of_files == {table.name: [key.name for key in table.primary_key] for table in tables}
