"""Tables: rows of a few values under named columns, such as predictions beside what they should have been."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from anonrun.client.media.content import MAX_ESCAPED_BYTES, Content, Media, Unloggable, escaped_bytes, json_content
from anonrun.core.media import MAX_CONTENT_BYTES, MAX_TABLE_CELLS, MAX_TABLE_COLUMNS, MediaKind
from anonrun.core.media import Table as Rows
from anonrun.core.metrics import to_float
from anonrun.core.words import counted

__all__ = ["Table"]

_MOST_CELL_CHARS = 10_000
_EXACT = 1 << 53
_MISSING = frozenset({"NAType", "NaTType"})  # of pandas


class Table(Media):
    """Rows under named columns.

    Cells are numbers, texts, booleans and None; NaN and ±Infinity become the texts `NaN`, `Infinity` and `-Infinity`,
    and anything else its `str`. A table is stored as it is at the moment when it is logged.

    Args:
        columns: their names; without any, those of a data frame, or `Input`, `Output` and `Expected` as in wandb.
        data: rows: a list of lists, or an array of two dimensions.
        dataframe: of pandas or polars, instead of `data`.

    Example:
        >>> table = Table(columns=["seen", "taken for"])
        >>> table.add_data("cat", "dog")
        >>> table
        <anonrun.Table of 1 row, 2 columns>
    """

    def __init__(self, columns: Sequence[object] | None = None, data: object = None, dataframe: Any = None) -> None:  # noqa: ANN401  pandas need not be there
        self._problem = ""
        self._wrong = 0
        self._rows: list[list[Any]] = []
        self._pictures = False
        if dataframe is not None or hasattr(data, "columns"):
            self._take_frame(data if dataframe is None else dataframe, columns)
        else:
            names = ["Input", "Output", "Expected"] if columns is None else columns
            self.columns = [str(name) for name in names]
            self._take_rows(data)

    def add_data(self, *data: object) -> None:
        """Add a row: one value for each column. A row with more or fewer is not added, with a warning at `log`."""
        if len(data) != len(self.columns):
            self._wrong += 1
            return
        self._rows.append([self._cell(value) for value in data])

    def __len__(self) -> int:
        return len(self._rows)

    def content(self) -> Content:
        """See `Media.content`."""
        if self._problem:
            raise Unloggable(self._problem)
        if not 1 <= len(self.columns) <= MAX_TABLE_COLUMNS:
            raise Unloggable(f"A table has 1 … {MAX_TABLE_COLUMNS} columns; this one has {len(self.columns)}.")
        notes = []
        if self._wrong:
            each = counted(len(self.columns), "value")
            notes.append(f"{counted(self._wrong, 'row')} of a table without exactly {each} left out.")
        if self._pictures:
            notes.append("Pictures in a table's cells are not kept; log them beside it, each as an anonrun.Image.")
        kept = self._that_fit()
        if len(kept) < len(self._rows):
            notes.append(
                f"Of a table's {len(self._rows):,} rows the first {len(kept):,} are kept; an item holds at most "
                f"{MAX_TABLE_CELLS:,} cells and {MAX_CONTENT_BYTES:,} bytes. run.log_artifact keeps a file of all."
            )
        if self._rows and not kept:
            raise Unloggable(f"Not one row of the table fits into {MAX_CONTENT_BYTES:,} bytes.")
        return json_content(MediaKind.TABLE, Rows(self.columns, kept), notes=tuple(notes))

    def __repr__(self) -> str:
        if self._problem:
            return f"<anonrun.Table: {self._problem}>"
        return f"<anonrun.Table of {counted(len(self._rows), 'row')}, {counted(len(self.columns), 'column')}>"

    def _take_frame(self, frame: Any, columns: Sequence[object] | None) -> None:  # noqa: ANN401  pandas need not be there
        try:
            self.columns = [str(name) for name in (frame.columns if columns is None else columns)]
            if hasattr(frame, "itertuples"):
                rows: Iterable[Any] = (frame if columns is None else frame[list(columns)]).itertuples(
                    index=False, name=None
                )
            else:
                rows = (frame if columns is None else frame.select(list(columns))).rows()
            for row in rows:
                self.add_data(*row)
        except Exception as exc:  # noqa: BLE001  a data frame of any library
            self.columns = []
            self._problem = f"The data frame could not be read ({exc!r}); give columns= and data=."

    def _take_rows(self, data: object) -> None:
        if data is None:
            return
        listed = data.tolist() if hasattr(data, "tolist") else data
        if isinstance(listed, (str, bytes, Mapping)) or not isinstance(listed, Iterable):
            self._problem = f"data is a {type(data).__name__}; give rows: a list of lists."
            return
        try:
            for row in listed:
                if isinstance(row, (str, bytes, Mapping)) or not isinstance(row, Iterable):
                    self._wrong += 1
                else:
                    self.add_data(*row)
        except Exception as exc:  # noqa: BLE001  what iterates is the user's
            self._problem = f"data could not be read ({exc!r}); give rows: a list of lists."

    def _cell(self, value: Any) -> Any:  # noqa: ANN401, PLR0911  the user's values; one return a case
        if value is None or type(value).__name__ in _MISSING:
            return None
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return int(value) if -_EXACT <= value <= _EXACT else str(value)
        if isinstance(value, str):
            return _text(value)
        if isinstance(value, Media) or hasattr(value, "savefig") or type(value).__module__.startswith("PIL."):
            self._pictures = True
            return _text(repr(value))
        number = to_float(value)
        if number is None:
            return _text(_str(value))
        if type(value).__name__.startswith("bool"):
            return bool(number)
        if math.isnan(number):
            return "NaN"
        if math.isinf(number):
            return "Infinity" if number > 0 else "-Infinity"
        whole = number.is_integer() and abs(number) <= _EXACT and "int" in str(getattr(value, "dtype", ""))
        return int(number) if whole else number

    def _that_fit(self) -> list[list[Any]]:
        most = MAX_TABLE_CELLS // len(self.columns)
        rows = self._rows[:most]
        head = json.dumps(self.columns, ensure_ascii=False)
        size, escaped = len(head.encode()) + 32, escaped_bytes(head) + 64
        for at, row in enumerate(rows):
            text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            size += len(text.encode()) + 1
            escaped += escaped_bytes(text)
            if size > MAX_CONTENT_BYTES or escaped > MAX_ESCAPED_BYTES:
                return rows[:at]
        return rows


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception as exc:  # noqa: BLE001  the user's own may do anything
        return f"{type(value).__name__} ({type(exc).__name__})"


def _text(value: str) -> str:
    text = value.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= _MOST_CELL_CHARS else text[: _MOST_CELL_CHARS - 1] + "…"
