"""`log` itself: a dict becomes one record in the spool, and nothing else happens.

A set of keys that was seen before has a plan, and its values go straight from the dict into the record. Everything
else (a first time, nested dicts, tensors, bad values) takes the slow way through `anonrun.core.metrics`, which
gives the same record and a warning where there is one to give. Nothing here raises for what was logged.
"""

from __future__ import annotations

import operator
import struct
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from anonrun.client.media.content import Content
from anonrun.client.media.intake import Intake
from anonrun.client.notices import Notices
from anonrun.client.spool.records import CHANGE, MAX_KEYS, ROW, names_record, pack_json, row_struct, sealed
from anonrun.client.spool.writer import SpoolWriter
from anonrun.core.media import CONSOLE_KEY, MediaKind
from anonrun.core.metrics import Row, flatten

__all__ = ["Recorder"]

_INT64 = 1 << 63
_MOST_METRICS = 8_192  # in one record; a larger row becomes several at the same step
_HEAD_BYTES = 24  # of a row without its CRC: size, kind, keys, step, time
_crc32 = zlib.crc32
_time_ns = time.time_ns
_to_crc_bytes = struct.Struct("<I").pack


class _Plan:
    """How rows of one set of keys are written; `last` is the newest such row, without its CRC."""

    __slots__ = ("keys", "last", "names", "pack", "size")

    def __init__(self, names: tuple[str, ...], keys: int) -> None:
        layout = row_struct(len(names))
        self.names = names
        self.keys = keys
        self.pack: Callable[..., bytes] = layout.pack
        self.size = layout.size + 4
        self.last = b""

    def body(self, step: int, values: Iterable[float]) -> bytes:
        """Return a row of this instant, without its CRC."""
        return self.pack(self.size, ROW, self.keys, step, _time_ns() // 1000, *values)


class Recorder:
    """The writing end of a run in this process.

    Args:
        writer: where records go.
        notices: where warnings go.
        intake: takes what is no number, such as pictures; None where nothing does.

    Attributes:
        rows: rows written by this process.
        samples: rows of system metrics among what was written, which are counted nowhere else.
        lost: rows that were not kept, since the run's folder, or memory while the disk refuses, was at its bound.
        step: step of the next row that has none of its own.
    """

    def __init__(
        self, writer: SpoolWriter, notices: Notices, *, first_step: int = 0, intake: Intake | None = None
    ) -> None:
        self.rows = 0
        self.samples = 0
        self.lost = 0
        self.step = first_step
        self.closed = False
        self._writer = writer
        self._notices = notices
        self._intake = intake
        self._unseen = False  # by the process that delivers
        self._highest = first_step
        self._plans: dict[tuple[Any, ...], _Plan] = {}
        self._by_names: dict[tuple[str, ...], _Plan] = {}
        self._earlier: dict[str, tuple[int, float]] = {}
        writer.on_new_part = self._forget_plans
        writer.on_refused = self._plans.clear  # the next row goes the slow way, where there is time to warn

    def log(self, data: Mapping[Any, Any], step: int | None = None, commit: bool | None = None) -> None:
        """Write one row; see `Run.log`."""
        if commit is None and (step is None or type(step) is int) and type(data) is dict and not self.closed:
            writer = self._writer
            with writer.lock:
                plan = self._plans.get(tuple(data))
                at = self.step if step is None else step
                if plan is not None and (step is None or (self._highest <= at < _INT64 - 1 and at >= self.step - 1)):
                    try:
                        body = plan.pack(plan.size, ROW, plan.keys, at, _time_ns() // 1000, *data.values())
                    except Exception:  # noqa: BLE001  whatever a value does, the slow way finds out and says so
                        body = b""
                    if body and writer.append(_to_crc_bytes(_crc32(body)) + body):
                        plan.last = body
                        self.rows += 1
                        if step is None:
                            self.step += 1
                        else:
                            self._highest = at
                            self.step = max(self.step, at)
                        return
        self._log_slowly(data, step, commit)

    def log_sample(self, data: Mapping[str, float], step: int) -> None:
        """Write a row of system metrics beside what is logged: the run's counter, rows and summary stay as they are."""
        names = tuple(data)
        with self._writer.lock:
            if self.closed or not self._writer.has_room():
                return
            plan = self._by_names.get(names) or self._new_plan(names)
            if plan is not None and self._writer.append(sealed(plan.body(step, data.values()))):
                self.samples += 1

    @property
    def trouble(self) -> str | None:
        """A sentence while rows are not kept, since the run's folder is at its bound; else None."""
        with self._writer.lock:
            return None if self._writer.has_room() else self._writer.full_text

    def change(self, fields: dict[str, Any]) -> bool:
        """Write fields of `RunUpdate` that change; return whether that is safe."""
        with self._writer.lock:
            return self._writer.append(pack_json(CHANGE, fields))

    def keep_printed(self, text: str) -> None:
        """Keep a piece of what the program printed, at the step of the moment."""
        if self._intake is not None:
            self._intake.keep(CONSOLE_KEY, self.step, [Content(MediaKind.CONSOLE, "text/plain", text)])

    def go_on_at(self, step: int) -> None:
        """Have the run's own counter go on at `step`, where it is not there yet."""
        with self._writer.lock:
            self.step = max(self.step, step)

    def latest(self) -> dict[str, float]:
        """Return the last value of each metric that this process logged."""
        with self._writer.lock:
            newest = dict(self._earlier)
            for plan in self._by_names.values():
                self._add_latest(newest, plan)
        return {name: value for name, (_, value) in newest.items()}

    def after_fork_in_child(self) -> None:
        """Go on as a writer of this process's own, from the same step."""
        self._writer.after_fork_in_child()
        self._unseen = True

    def _log_slowly(self, data: Mapping[Any, Any], step: int | None, commit: bool | None) -> None:
        if self.closed:
            self._notices.warn_once(
                "closed", "The run is finished; what is logged now is not kept. Call anonrun.init() first."
            )
            return
        if not isinstance(data, Mapping):
            self._notices.warn_once(
                "data",
                f"log() got {type(data).__name__}, and takes a dict such as {{'loss': 0.5}}; this was not logged.",
            )
            return
        try:
            row = flatten(data)
        except Exception as exc:  # noqa: BLE001  a mapping of the user's own may do anything
            self._notices.warn_once("data", f"log() could not read its dict ({exc!r}); this was not logged.")
            return
        media = self._media_of(row)
        own_step = self._checked_step(step)
        with self._writer.lock:
            at = self._place(own_step)
            asked = tuple(data) if not row.refusals else None
            self.lost += not self._keep(row, at, asked)
            if commit or (commit is None and own_step is None):
                self.step = max(self.step, at + 1)
        for key, contents in media:
            self._keep_media(key, at, contents)
        self.warn_of_disk()

    def _media_of(self, row: Row) -> list[tuple[str, list[Content]]]:
        """Return what a row has beside numbers, encoded, and warn of what cannot be logged at all."""
        media, intake = [], self._intake
        for refusal in row.refusals:
            given = refusal.value
            contents = None if intake is None or given is None else intake.contents(refusal.name, given)
            if contents is None:
                self._notices.warn_once(f"metric {refusal.name}", refusal.problem)
            elif contents:
                media.append((refusal.name, contents))
        return media

    def _keep_media(self, key: str, step: int, contents: list[Content]) -> None:
        assert self._intake is not None, "it made the contents"
        if self._unseen:  # a part of this process's own tells that it lives, and may write on
            self._unseen = False
            self.change({})
        self._intake.keep(key, step, contents)

    def warn_of_disk(self) -> None:
        """Say once that the disk refuses, if it does. Not under the lock: whoever takes what is said may log too."""
        if self._writer.trouble is not None:
            self._notices.warn_once("disk", self._writer.trouble)

    def _keep(self, row: Row, step: int, asked: tuple[Any, ...] | None) -> bool:
        if not self._writer.has_room():
            self._notices.warn_once("full", self._writer.full_text)
            return False
        for start in range(0, len(row.names), _MOST_METRICS):
            part = slice(start, start + _MOST_METRICS)
            if not self._write(row.names[part], row.values[part], step, asked):
                self._notices.warn_once(
                    "queue",
                    "Memory for points that wait for the disk is full, and they are lost from now on. "
                    f"{self._writer.trouble}",
                )
                return False
        return True

    def _write(
        self, names: tuple[str, ...], values: tuple[float, ...], step: int, asked: tuple[Any, ...] | None
    ) -> bool:
        plan = self._by_names.get(names) or self._new_plan(names)
        if plan is None:
            return False
        body = plan.body(step, values)
        if not self._writer.append(sealed(body)):
            return False
        plan.last = body
        self.rows += 1
        if asked == names and self._by_names.get(names) is plan:
            self._plans[names] = plan
        return True

    def _new_plan(self, names: tuple[str, ...]) -> _Plan | None:
        if len(self._by_names) >= MAX_KEYS and not self._writer.begin_part():
            return None
        keys = len(self._by_names)
        part = self._writer.part
        if not self._writer.append(names_record(keys, names)):
            return None
        if part != self._writer.part:  # the part was full with that record; the new one must name the set too
            return self._new_plan(names)
        plan = self._by_names[names] = _Plan(names, keys)
        return plan

    def _checked_step(self, step: object) -> int | None:
        if step is None:
            return None
        try:
            number = operator.index(step)  # type: ignore[arg-type]  # what is no integer raises, and that is the test
        except TypeError:
            number = int(step) if isinstance(step, float) and step.is_integer() else _INT64
        if -_INT64 <= number < _INT64 - 1:
            return number
        self._notices.warn_once(
            "step", f"step={step!r} is no integer of 64 bits; the row was kept at the run's own step instead."
        )
        return None

    def _place(self, own_step: int | None) -> int:
        if own_step is None:
            return min(self.step, _INT64 - 1)
        highest = max(self.step - 1, self._highest)
        if own_step < highest:
            self._notices.warn_once(
                "backwards", f"Step {own_step} was logged after step {highest}. It is kept; charts sort by step."
            )
        self.step = max(self.step, own_step)
        self._highest = max(self._highest, own_step)
        return own_step

    def _forget_plans(self) -> None:
        for plan in self._by_names.values():
            self._add_latest(self._earlier, plan)
        self._plans.clear()
        self._by_names.clear()

    @staticmethod
    def _add_latest(newest: dict[str, tuple[int, float]], plan: _Plan) -> None:
        if not plan.last:
            return
        (time_us,) = struct.unpack_from("<q", plan.last, 16)
        values = struct.unpack_from(f"<{len(plan.names)}d", plan.last, _HEAD_BYTES)
        for name, value in zip(plan.names, values, strict=True):
            if name not in newest or newest[name][0] <= time_us:
                newest[name] = time_us, value
