"""Why bytes are not taken as a segment: one word for each check of the format, the same in every reader.

The order of the checks and what each means stands in `docs/wire.md`; golden segments in `tests/vectors` hold the
readers in Python and TypeScript to the same word for the same bytes.
"""

from __future__ import annotations

import enum

from anonrun.errors import DamagedDataError

__all__ = ["Reason", "SegmentError"]


class Reason(enum.Enum):
    """The first check that did not hold."""

    CUT_OFF = "cut_off"
    NOT_A_SEGMENT = "not_a_segment"
    VERSION = "version"
    CODEC = "codec"
    TOO_LARGE = "too_large"
    SIZES = "sizes"
    CHECKSUM = "checksum"
    SEQ = "seq"
    UNPACK = "unpack"
    FRAME = "frame"
    NAME = "name"
    COUNTS = "counts"


class SegmentError(DamagedDataError):
    """Bytes are no segment that this reader takes.

    Attributes:
        reason: which check did not hold. `TOO_LARGE` asks for smaller segments, `VERSION` and `CODEC` for a newer
            reader; after any other the same bytes may be read or sent once more.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
