"""Segments: every bit survives, nothing damaged is believed, and nothing costs more than its bytes."""

from __future__ import annotations

import struct
import sys
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonrun.core.damage import Reason, SegmentError
from anonrun.core.frames import pieces
from anonrun.core.limits import DEFAULT_LIMITS, MAX_SEGMENT_COLUMNS, MAX_SEGMENT_FRAMES
from anonrun.core.metrics import name_problem
from anonrun.core.wire import (
    CODEC_ZLIB,
    HEADER_SIZE,
    Frame,
    checked_places,
    decode,
    decode_all,
    encode,
    encode_all,
    peek,
    raw_body,
    split,
)
from anonrun.errors import DamagedDataError

_I64 = st.integers(-(2**63), 2**63 - 1)
_PATTERNS = st.sampled_from(
    [0x7FF8 << 48, 0xFFF8 << 48, 0x7FF0 << 48, 0xFFF0 << 48, 1 << 63, 1, (1 << 63) + 1, 0x7FF0000000000001, 2**64 - 1]
)
_F64 = (st.integers(0, 2**64 - 1) | _PATTERNS).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
_NAME = st.text(min_size=1, max_size=256).filter(lambda name: name_problem(name) is None)
_VECTORS = Path(__file__).parents[1] / "vectors"
_WHOLE = ["one_point", "empty", "two_frames", "odd_names", "nan_payloads", "many_frames", "compressed"]


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


def _rows(frame: Frame) -> list[tuple[object, ...]]:
    columns = [[struct.pack("<d", value) for value in column] for column in frame.columns]
    return [(frame.names, *row) for row in zip(frame.steps, frame.times_us, *columns, strict=True)]


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


@pytest.mark.parametrize("name", _WHOLE)
def test_a_single_flipped_bit_anywhere_is_refused(name: str) -> None:
    good = bytearray((_VECTORS / f"{name}.bin").read_bytes())
    for bit in range(8 * len(good)):
        good[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SegmentError):
            list(decode_all(good))
        good[bit // 8] ^= 1 << bit % 8


@pytest.mark.parametrize("name", _WHOLE)
def test_a_segment_that_is_cut_off_at_any_byte_is_refused(name: str) -> None:
    good = (_VECTORS / f"{name}.bin").read_bytes()
    for size in range(len(good)):
        with pytest.raises(SegmentError) as caught:
            decode(good[:size])
        assert caught.value.reason is Reason.CUT_OFF


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    with pytest.raises(DamagedDataError):
        decode(raw)


def _sealed(body: bytes, *, rows: int = 0, points: int = 0, codec: int = 0, raw_size: int | None = None) -> bytes:
    head = struct.pack(
        "<4sBBHQQIIII", b"ANRS", 1, codec, 0, 1, 0, rows, points, len(body) if raw_size is None else raw_size, len(body)
    )
    return head + struct.pack("<I", zlib.crc32(body, zlib.crc32(head))) + body


@given(st.binary(min_size=1, max_size=300))
def test_a_body_of_arbitrary_bytes_under_a_good_checksum_is_refused(body: bytes) -> None:
    with pytest.raises(SegmentError):
        decode(_sealed(body))


@given(st.binary(max_size=300), st.integers(0, 300_000))
def test_a_compressed_body_of_arbitrary_bytes_under_a_good_checksum_is_refused(body: bytes, raw_size: int) -> None:
    with pytest.raises(SegmentError):
        decode(_sealed(body, codec=CODEC_ZLIB, raw_size=raw_size))


@given(st.data())
@settings(max_examples=300)
def test_a_frame_with_any_byte_changed_under_a_good_checksum_is_read_or_refused(data: st.DataObject) -> None:
    whole = encode([Frame.of(["a", "bé"], [1, 2], [3, 4], [[5.0, 6.0], [7.0, 8.0]])], writer=1, seq=0, compress=False)
    body = bytearray(whole[HEADER_SIZE:])
    for at, new in data.draw(st.dictionaries(st.integers(0, len(body) - 1), st.integers(0, 255), max_size=4)).items():
        body[at] = new
    try:
        (frame,) = decode(_sealed(bytes(body), rows=2, points=4)).frames
    except SegmentError:
        return
    again = encode([frame], writer=1, seq=0, compress=False)
    assert again[HEADER_SIZE:] == bytes(body)


def test_what_may_be_a_newer_version_asks_for_an_update() -> None:
    data = bytearray(encode([_one()], writer=1, seq=0))
    data[4] = 2
    with pytest.raises(SegmentError, match=r"version 2 is not known here, only 1; update anonrun"):
        decode(bytes(data))
    data[4:8] = 1, 0, 0, 0x80
    with pytest.raises(SegmentError, match=r"flags 0x8000 is not known here.*update anonrun"):
        decode(bytes(data))


def test_segments_stand_back_to_back() -> None:
    parts = [encode([_one()], writer=w, seq=w * 100) for w in range(3)]
    data = b"".join(parts)
    assert [h.writer for _, h in split(data)] == [0, 1, 2]
    assert [s.header.seq for s in decode_all(data)] == [0, 100, 200]
    with pytest.raises(DamagedDataError):
        list(split(data[:-1]))


@given(st.lists(_frames(), min_size=1, max_size=6), st.integers(100, 2_000))
def test_pieces_hold_all_rows_in_order_and_keep_to_the_size(frames: list[Frame], size: int) -> None:
    cut = list(pieces(frames, size))
    assert [row for piece in cut for frame in piece for row in _rows(frame)] == [r for f in frames for r in _rows(f)]
    for piece in cut:
        body = len(encode(piece, writer=1, seq=0, compress=False)) - HEADER_SIZE
        assert body <= size or sum(len(frame.steps) for frame in piece) == 1


@given(st.lists(_frames(), max_size=6), st.randoms())
def test_segments_that_come_in_another_order_say_where_they_belong(frames: list[Frame], random: Any) -> None:
    segments, seq = [], 0
    for frame in frames:
        segments.append(encode([frame], writer=1, seq=seq))
        seq += len(frame.steps)
    random.shuffle(segments)
    read = sorted(decode_all(b"".join(segments)), key=lambda segment: segment.header.seq)
    assert [_bits(f) for segment in read for f in segment.frames] == [_bits(f) for f in frames]
    assert all(a.header.seq + a.header.rows == b.header.seq for a, b in pairwise(read))


@pytest.mark.parametrize(
    ("frames", "segments"),
    [
        pytest.param([], 1, id="nothing"),
        pytest.param([Frame.of(["a"], range(9), range(9), [[0.5] * 9])], 1, id="little"),
        pytest.param([Frame.of("ab"[i % 2], [i], [i], [[0.5]]) for i in range(MAX_SEGMENT_FRAMES + 1)], 2, id="frames"),
        pytest.param(
            [Frame.of([f"m{i}" for i in range(5_000)], [0], [0], [[0.5]] * 5_000)] * (MAX_SEGMENT_COLUMNS // 5_000 + 1),
            2,
            id="columns",
        ),
        pytest.param([Frame.of(["a"], *([range(400_000)] * 2), [[0.5] * 400_000])], 2, id="bytes"),
    ],
)
def test_what_is_too_much_for_one_segment_becomes_several_that_readers_take(frames: list[Frame], segments: int) -> None:
    read = list(decode_all(encode_all(frames, writer=9, seq=5)))
    assert len(read) == segments
    assert sum(segment.header.rows for segment in read) == sum(len(frame.steps) for frame in frames)
    assert read[-1].header.seq + read[-1].header.rows == 5 + sum(len(frame.steps) for frame in frames)


def _calls(function: Callable[[], object]) -> Counter[str]:
    """Return which functions were called how often; the measure of work that no clock disturbs."""
    counted: Counter[str] = Counter()

    def count(_frame: FrameType, event: str, called: Any) -> None:
        if event in ("call", "c_call"):
            counted[called.__name__ if event == "c_call" else "python"] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    except SegmentError:
        pass
    finally:
        sys.setprofile(before)
    return counted


def _peak(function: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        function()
    except SegmentError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "name", ["announces_too_much", "announces_4_gib", "largest_out_of_nothing", "no_zlib_unpacks_to_that", "bad_crc"]
)
def test_what_the_header_gives_away_is_refused_before_anything_is_unpacked(name: str) -> None:
    data = (_VECTORS / f"{name}.bin").read_bytes()
    assert _calls(lambda: decode(data))["decompressobj"] == 0
    assert _peak(lambda: decode(data)) < 10_000


def test_a_body_that_unpacks_to_more_than_it_announced_is_unpacked_no_further() -> None:
    bomb = _sealed(zlib.compress(bytes(2**26), 9), codec=CODEC_ZLIB, raw_size=50_000)
    assert _peak(lambda: decode(bomb)) < 1_000_000


@pytest.mark.parametrize("name", ["too_many_frames", "too_many_columns"])
def test_a_segment_of_too_many_parts_makes_no_column(name: str) -> None:
    data = (_VECTORS / f"{name}.bin").read_bytes()
    calls = _calls(lambda: decode(data))
    assert calls["frombytes"] == 0
    assert calls["python"] < 10 * MAX_SEGMENT_FRAMES


def test_the_worst_segment_that_is_taken_costs_a_bounded_multiple_of_its_unpacked_size() -> None:
    frames = [Frame.of("ab"[i % 2], [i], [i], [[0.5]]) for i in range(MAX_SEGMENT_FRAMES)]
    data = encode(frames, writer=1, seq=0)
    header = peek(data)
    assert len(decode(data).frames) == MAX_SEGMENT_FRAMES
    assert _peak(lambda: decode(data)) < 40 * header.raw_size
    raw = raw_body(data, header)
    assert _peak(lambda: checked_places(raw, header)) < 5 * header.raw_size


@pytest.mark.parametrize("many", [50, 100, 200])
def test_work_grows_with_frames_and_segments_and_not_with_their_square(many: int) -> None:
    frames = [Frame.of([f"m{i % 7}", "x"], [i], [i], [[0.5], [1.0]]) for i in range(many)]
    one = encode(frames, writer=1, seq=0)
    apart = b"".join(encode([frame], writer=1, seq=i) for i, frame in enumerate(frames))
    assert sum(_calls(lambda: decode(one)).values()) < 40 * many + 100
    assert sum(_calls(lambda: list(decode_all(apart))).values()) < 80 * many + 100


def test_a_row_of_the_most_metrics_is_read() -> None:
    count = 65_535
    raw_names = [f"{i:x}" for i in range(count)]
    (frame,) = decode(encode([Frame.of(raw_names, [0], [0], [[0.0]] * count)], writer=1, seq=0)).frames
    assert frame.names == tuple(raw_names)
    assert DEFAULT_LIMITS.segment_raw_bytes > 8 * count
