from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonrun.client.notices import Notices
from anonrun.client.recorder import Recorder
from anonrun.client.spool.folder import RunFile, RunFolder, write_private
from anonrun.client.spool.reader import Batch, PartReader, after_damage
from anonrun.client.spool.records import KEYS, ROW, head_at
from anonrun.client.spool.writer import PartName, SpoolWriter
from anonrun.core.tokens import TokenKind, mint


def recorder_in(folder: Path, **options: int) -> tuple[Recorder, SpoolWriter]:
    writer = SpoolWriter(folder, **options)
    return Recorder(writer, Notices(silent=True)), writer


def read_all(folder: Path, *, final: bool = True) -> list[Batch]:
    batches = []
    for part in RunFolder(folder).parts():
        reader = PartReader(folder, part)
        while True:
            before = reader.offset
            batch = reader.read(final=final)
            if not batch.empty:
                batches.append(batch)
            if reader.offset == before:
                break
        reader.close()
    return batches


def values(batches: list[Batch], metric: str) -> list[float]:
    return [
        value
        for batch in batches
        for frame in batch.frames
        if metric in frame.names
        for value in frame.columns[frame.names.index(metric)]
    ]


def test_rows_come_back_bit_by_bit(tmp_path: Path) -> None:
    recorder, _ = recorder_in(tmp_path)
    (payload,) = struct.unpack("<d", bytes.fromhex("0100adde0000f87f"))
    odd = [0.0, -0.0, 5e-324, math.inf, -math.inf, payload]
    for value in odd:
        recorder.log({"x": value})
    back = values(read_all(tmp_path), "x")
    assert [struct.pack("<d", v) for v in back] == [struct.pack("<d", v) for v in odd]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abcde"), st.floats(allow_nan=False), min_size=1), max_size=40))
def test_any_rows_in_any_order_come_back(rows: list[dict[str, float]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        recorder, _ = recorder_in(Path(name))
        for row in rows:
            recorder.log(row)
        back = [
            dict(zip(frame.names, values, strict=True))
            for batch in read_all(Path(name))
            for frame in batch.frames
            for values in zip(*frame.columns, strict=True)
        ]
    assert back == rows


def test_a_reader_follows_a_growing_part_and_gives_each_row_once(tmp_path: Path) -> None:
    recorder, writer = recorder_in(tmp_path)
    reader = PartReader(tmp_path, writer.part)
    assert reader.read().empty
    seen: list[float] = []
    for value in range(10):
        recorder.log({"x": value})
        seen += values([reader.read()], "x")
    assert seen == list(range(10))
    assert reader.read().empty


def test_a_full_part_is_followed_by_another_that_stands_alone(tmp_path: Path) -> None:
    recorder, _ = recorder_in(tmp_path, part_bytes=1_000)
    for value in range(200):
        recorder.log({"x": value})
    parts = RunFolder(tmp_path).parts()
    assert len(parts) > 5
    (tmp_path / parts[0].file_name).unlink()
    rest = values(read_all(tmp_path), "x")
    assert rest == list(range(200 - len(rest), 200))
    assert recorder.latest() == {"x": 199.0}


def test_a_record_that_was_cut_off_is_left_out_and_no_damage(tmp_path: Path) -> None:
    recorder, writer = recorder_in(tmp_path)
    for value in range(5):
        recorder.log({"x": value})
    path = tmp_path / writer.part.file_name
    whole = path.read_bytes()
    for cut in range(1, 36):
        path.write_bytes(whole[:-cut])
        reader = PartReader(tmp_path, writer.part)
        assert values([reader.read(final=True), reader.read(final=True)], "x") == [0, 1, 2, 3]
        assert reader.damage == []
        reader.close()


def test_a_damaged_row_costs_itself_only_and_the_rest_is_another_stream(tmp_path: Path) -> None:
    recorder, writer = recorder_in(tmp_path)
    for value in range(5):
        recorder.log({"x": value})
    path = tmp_path / writer.part.file_name
    data = bytearray(path.read_bytes())
    data[-2 * 36 - 3] ^= 0x40  # within the row of 2
    path.write_bytes(data)
    batches = read_all(tmp_path)
    assert values(batches, "x") == [0, 1, 3, 4]
    assert [(b.writer, b.seq, b.rows) for b in batches] == [
        (writer.part.writer, 0, 2),
        (after_damage(writer.part.writer, 1), 0, 2),
    ]
    reader = PartReader(tmp_path, writer.part)
    reader.read(final=True), reader.read(final=True)
    assert len(reader.damage) == 1
    assert str(path) in reader.damage[0]
    reader.close()


def test_rows_whose_names_are_damaged_are_left_out_and_reported(tmp_path: Path) -> None:
    recorder, writer = recorder_in(tmp_path)
    recorder.log({"x": 1.0})
    recorder.log({"y": 2.0})
    recorder.log({"x": 3.0})
    path = tmp_path / writer.part.file_name
    data = bytearray(path.read_bytes())
    at, kinds = 0, []
    while at < len(data):
        size, kind, keys = head_at(bytes(data), at)
        kinds.append(kind)
        if kind == KEYS and keys == 1:
            data[at + 14] ^= 1
        at += size
    assert kinds.count(ROW) == 3
    path.write_bytes(data)
    batches = read_all(tmp_path)
    assert values(batches, "x") == [1.0, 3.0]
    assert values(batches, "y") == []


def test_skip_to_returns_to_any_row_and_collects_the_changes_before_it(tmp_path: Path) -> None:
    recorder, writer = recorder_in(tmp_path)
    for value in range(6):
        recorder.log({"x": value})
        recorder.change({"summary": {"n": value}})
    reader = PartReader(tmp_path, writer.part)
    reader.read()
    for row in (4, 0, 6, 2):
        changes = reader.skip_to(writer.part.writer, row)
        assert reader.row == row
        assert [c["summary"]["n"] for c in changes] == list(range(max(0, row - 1)))
    assert values([reader.read()], "x") == [2, 3, 4, 5]
    reader.close()


def test_a_disk_that_refuses_loses_nothing(tmp_path: Path) -> None:
    """A file stands where the folder should be, until it is removed: no byte can be written before."""
    folder = tmp_path / "run"
    folder.write_text("in the way")
    recorder, writer = recorder_in(folder)
    for value in range(100):
        recorder.log({"x": value})
    assert writer.trouble is not None
    assert "cannot be written to" in writer.trouble
    reader = PartReader(folder, writer.part, writer.unwritten)
    folder.unlink()
    writer.retry()
    assert writer.trouble is None
    recorder.log({"x": 100})
    assert values(read_all(folder), "x") == list(range(101))
    writer.close()
    reader.close()


def test_readers_of_this_process_read_on_in_memory_while_the_disk_refuses(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.write_text("in the way")
    recorder, writer = recorder_in(folder)
    part = writer.part
    reader = PartReader(Path(folder.parent / "absent"), part, writer.unwritten)
    recorder.log({"x": 1.0})
    assert values([reader.read()], "x") == [1.0]
    recorder.log({"x": 2.0})
    assert values([reader.read()], "x") == [2.0]
    writer.release(part, reader.offset)
    assert writer.part != part, "what was delivered makes room for more"
    recorder.log({"x": 3.0})
    later = PartReader(Path(folder.parent / "absent"), writer.part, writer.unwritten)
    assert values([later.read()], "x") == [3.0]


def test_memory_for_what_the_disk_refuses_is_bounded_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    folder.write_text("in the way")
    writer = SpoolWriter(folder, queue_bytes=2_000)
    recorder = Recorder(writer, Notices())
    for value in range(500):
        recorder.log({"x": value})
    printed = capsys.readouterr().err
    assert printed.count("lost from now on") == 1
    assert recorder.rows < 60


def test_a_full_disk_is_noticed_in_the_middle_of_a_record(tmp_path: Path) -> None:
    """RLIMIT_FSIZE is a disk that is full at exactly that byte; the child reports what it could keep."""
    import subprocess
    import sys

    script = f"""if True:
        import resource, signal, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent.parent)!r})
        from anonrun.client.notices import Notices
        from anonrun.client.recorder import Recorder
        from anonrun.client.spool.writer import SpoolWriter
        from anonrun.client.spool.reader import PartReader
        folder = Path({str(tmp_path)!r})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
        writer = SpoolWriter(folder)
        recorder = Recorder(writer, Notices(silent=True))
        reader = PartReader(folder, writer.part, writer.unwritten)
        for value in range(100):
            recorder.log({{"x": value}})
        assert writer.trouble, "the disk was full"
        assert (folder / writer.part.file_name).stat().st_size == 1_000
        batch = reader.read()
        assert [v for f in batch.frames for v in f.columns[0]] == list(range(100))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        writer.retry()
        assert writer.trouble is None
        recorder.log({{"x": 100}})
    """
    subprocess.run([sys.executable, "-c", script], check=True)
    assert values(read_all(tmp_path), "x") == list(range(101))


def test_changes_come_back_in_order(tmp_path: Path) -> None:
    recorder, _ = recorder_in(tmp_path)
    recorder.change({"config": {"lr": 1}})
    recorder.log({"x": 1})
    recorder.change({"state": "finished", "exit_code": 0})
    (batch,) = read_all(tmp_path)
    assert batch.changes == [{"config": {"lr": 1}}, {"state": "finished", "exit_code": 0}]


def test_part_names_are_read_as_written() -> None:
    part = PartName(3, 2**64 - 1)
    assert PartName.parse(part.file_name) == part
    assert PartName.parse("notes.txt") is None
    assert PartName.parse("3-ff.part") is None


def test_files_with_secrets_are_the_owners_alone(tmp_path: Path) -> None:
    recorder, writer = recorder_in(tmp_path / "run")
    recorder.log({"x": 1})
    file = RunFile("id", None, "anonymous", {}, mint(TokenKind.WRITE), mint(TokenKind.VIEW), mint(TokenKind.CLAIM))
    RunFolder(tmp_path / "run").save(file)
    assert RunFolder(tmp_path / "run").load() == file
    for name in ("run.json", writer.part.file_name):
        assert (tmp_path / "run" / name).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    assert file.write not in repr(file)
    assert file.view not in repr(file)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1}', '{"version": 1, "write": "x"}'])
def test_a_damaged_run_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        RunFile.parse(text)


def test_a_private_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write_private(path, json.dumps({"a": 1}))
    before = path.read_bytes()
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]
