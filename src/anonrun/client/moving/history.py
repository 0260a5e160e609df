"""A run's history as a server gives it, page by page, so that the largest run takes little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from anonrun.client.moving.fingerprint import Fingerprint
from anonrun.client.moving.upload import Patience
from anonrun.client.remote import Remote
from anonrun.core.frames import Frame
from anonrun.core.wire import decode_all

__all__ = ["fingerprint_of", "in_order", "pages"]

_PAGE_BYTES = 1 << 20


def pages(
    remote: Remote, token: str, run_id: str, patience: Patience, *, after: int = 0
) -> Iterator[tuple[list[Frame], int]]:
    """Yield what arrived after a position, in order of arrival, each page with the position up to which it goes.

    Raises:
        ServerUnavailableError: there is no answer.
        UnwillingError: the server refuses.
        DamagedDataError: what it sent is damaged.
    """
    while True:
        data, position = patience.ask(lambda at=after: remote.series_page(token, run_id, after=at, most=_PAGE_BYTES))  # type: ignore[misc]  # the default binds the loop's value
        if position == after:
            return
        after = position
        yield [frame for segment in decode_all(data) for frame in segment.frames], position


def fingerprint_of(remote: Remote, token: str, run_id: str, patience: Patience) -> Fingerprint:
    """Return the fingerprint of a run's whole history.

    Raises:
        ServerUnavailableError: there is no answer.
        UnwillingError: the server refuses.
        DamagedDataError: what it sent is damaged.
    """
    found = Fingerprint()
    for frames, _ in pages(remote, token, run_id, patience):
        for frame in frames:
            found.take(frame)
    return found


def in_order(frames: list[Frame], ranks: Mapping[str, int], seen: AbstractSet[str]) -> list[Frame]:
    """Return a page's rows so that metrics appear for the first time in the order of their ranks.

    A server lists metrics in the order in which they first came, and a page from its chunks does not always keep that
    among those that came at once. Where it does not, the first point of each new metric is put before all others; of
    no metric the order of points changes.

    Args:
        frames: the page's.
        ranks: places in the list.
        seen: the metrics of the pages before.

    Example:
        >>> page = [Frame.of(["b", "a"], [0, 1], [7, 8], [[1, 2], [3, 4]])]
        >>> [(frame.names, frame.steps.tolist()) for frame in in_order(page, {"a": 0, "b": 1}, set())]
        [(('a',), [0]), (('b',), [0]), (('b', 'a'), [1])]
    """
    first: dict[str, int] = {}
    for at, frame in enumerate(frames):
        for name in frame.names:
            if name not in seen and name in ranks:
                first.setdefault(name, at)
    wanted = sorted(first, key=ranks.__getitem__)
    if wanted == list(first):
        return frames
    heads = [_head(frames[first[name]], [name]) for name in wanted]
    kept: list[Frame] = []
    for at, frame in enumerate(frames):
        new = {name for name in frame.names if first.get(name) == at}
        if not new:
            kept.append(frame)
            continue
        old = [name for name in frame.names if name not in new]
        kept += [_head(frame, old)] if old else []
        kept += [_tail(frame)] if len(frame.steps) > 1 else []
    return heads + kept


def _head(frame: Frame, names: list[str]) -> Frame:
    """Return the first row of a frame with some of its metrics."""
    columns = dict(zip(frame.names, frame.columns, strict=True))
    return Frame(tuple(names), frame.steps[:1], frame.times_us[:1], tuple(columns[name][:1] for name in names))


def _tail(frame: Frame) -> Frame:
    """Return all but the first row of a frame."""
    return Frame(frame.names, frame.steps[1:], frame.times_us[1:], tuple(column[1:] for column in frame.columns))
