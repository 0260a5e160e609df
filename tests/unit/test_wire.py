"""Segments: every bit survives, and nothing damaged is believed."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonrun.core.metrics import name_problem
from anonrun.core.wire import CODEC_ZLIB, HEADER_SIZE, Frame, decode, decode_all, encode, peek, split
from anonrun.errors import DamagedDataError

_I64 = st.integers(-(2**63), 2**63 - 1)
_F64 = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0])
_NAME = st.text(min_size=1, max_size=256).filter(lambda name: name_problem(name) is None)


@st.composite
def _frames(draw: st.DrawFn) -> Frame:
    names = draw(st.lists(_NAME, min_size=1, max_size=5, unique=True))
    rows = draw(st.integers(1, 20))
    many = st.lists
    return Frame.of(
        names,
        draw(many(_I64, min_size=rows, max_size=rows)),
        draw(many(_I64, min_size=rows, max_size=rows)),
        [draw(many(_F64, min_size=rows, max_size=rows)) for _ in names],
    )


def _bits(frame: Frame) -> tuple[object, ...]:
    return frame.names, frame.steps.tobytes(), frame.times_us.tobytes(), [c.tobytes() for c in frame.columns]


def _one() -> Frame:
    return Frame.of(["loss"], range(100), range(100), [[0.5] * 100])


@given(st.lists(_frames(), max_size=4), st.integers(0, 2**64 - 1), st.integers(0, 2**62), st.booleans())
def test_what_was_encoded_comes_back_bit_by_bit(frames: list[Frame], writer: int, seq: int, compress: bool) -> None:
    segment = decode(encode(frames, writer=writer, seq=seq, compress=compress))
    assert [_bits(f) for f in segment.frames] == [_bits(f) for f in frames]
    assert (segment.header.writer, segment.header.seq) == (writer, seq)
    assert segment.header.rows == sum(len(f.steps) for f in frames)
    assert segment.header.points == sum(len(f.steps) * len(f.names) for f in frames)


def test_columns_can_be_mapped_without_copying() -> None:
    data = encode([_one(), Frame.of(["äöü", "b"], [1], [2], [[3.0], [4.0]])], writer=1, seq=0, compress=False)
    at = HEADER_SIZE + 8 + 2 + len("loss")
    at += -(at - HEADER_SIZE) % 8
    assert (at - HEADER_SIZE) % 8 == 0
    assert struct.unpack_from("<q", data, at + 8) == (1,)


def test_a_large_body_is_compressed_and_a_small_one_is_not() -> None:
    assert peek(encode([_one()], writer=1, seq=0)).codec == CODEC_ZLIB
    assert peek(encode([Frame.of(["a"], [1], [1], [[1.0]])], writer=1, seq=0)).codec == 0


@given(st.data())
@settings(max_examples=300)
def test_one_flipped_bit_anywhere_is_noticed(data: st.DataObject) -> None:
    good = encode([_one()], writer=7, seq=3)
    at = data.draw(st.integers(0, len(good) * 8 - 1))
    bad = bytearray(good)
    bad[at // 8] ^= 1 << at % 8
    with pytest.raises(DamagedDataError):
        decode(bytes(bad))


@given(st.integers(0, 400))
def test_a_segment_that_is_cut_off_is_noticed(length: int) -> None:
    good = encode([_one()], writer=7, seq=3)
    with pytest.raises(DamagedDataError):
        decode(good[: min(length, len(good) - 1)])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    with pytest.raises(DamagedDataError):
        decode(raw)


def _sealed(body: bytes, *, rows: int = 1, points: int = 1, codec: int = 0, raw_size: int | None = None) -> bytes:
    head = struct.pack(
        "<4sBBHQQIIII", b"ANRS", 1, codec, 0, 1, 0, rows, points, len(body) if raw_size is None else raw_size, len(body)
    )
    return head + struct.pack("<I", zlib.crc32(body, zlib.crc32(head))) + body


@given(st.binary(max_size=300))
def test_a_body_of_arbitrary_bytes_under_a_good_checksum_is_refused(body: bytes) -> None:
    with pytest.raises(DamagedDataError):
        decode(_sealed(body))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            _sealed(zlib.compress(bytes(9000)), codec=1, raw_size=8), "another size", id="more than announced"
        ),
        pytest.param(_sealed(zlib.compress(bytes(8)), codec=1, raw_size=800), "another size", id="less than announced"),
        pytest.param(_sealed(b"not zlib", codec=1, raw_size=8), "does not decompress", id="no zlib"),
        pytest.param(_sealed(b"", codec=1, raw_size=2**31), "over the limit", id="bomb"),
        pytest.param(_sealed(b"", codec=9), "codec 9", id="unknown codec"),
        pytest.param(_sealed(struct.pack("<HHI", 1, 0, 2**32 - 1) + bytes(8)), "cut off", id="rows beyond the end"),
        pytest.param(_sealed(struct.pack("<HHI", 0, 0, 1)), "at least one", id="no metric"),
        pytest.param(_sealed(struct.pack("<HHI", 65535, 0, 1)), "within its metric names", id="names beyond the end"),
        pytest.param(_sealed(struct.pack("<HHIH", 1, 0, 1, 9) + b"abc"), "within its metric names", id="name cut off"),
        pytest.param(_sealed(struct.pack("<HHIH", 1, 0, 1, 2) + b"\xff\xff" + bytes(30)), "not UTF-8", id="bad name"),
        pytest.param(
            _sealed(struct.pack("<HHIH", 1, 0, 1, 1) + b"a" + bytes(5 + 24), rows=2), "another number", id="wrong count"
        ),
    ],
)
def test_hostile_segments_are_refused_before_work_is_done(data: bytes, message: str) -> None:
    with pytest.raises(DamagedDataError, match=message):
        decode(data)


def test_a_future_version_asks_for_an_update() -> None:
    data = bytearray(encode([_one()], writer=1, seq=0))
    data[4] = 2
    with pytest.raises(DamagedDataError, match=r"version 2 is not known here, only 1; update anonrun"):
        decode(bytes(data))


def test_segments_stand_back_to_back() -> None:
    parts = [encode([_one()], writer=w, seq=w * 100) for w in range(3)]
    data = b"".join(parts)
    assert [h.writer for _, h in split(data)] == [0, 1, 2]
    assert [s.header.seq for s in decode_all(data)] == [0, 100, 200]
    with pytest.raises(DamagedDataError):
        list(split(data[:-1]))
