"""Media come in, each item once, and go out in order of arrival.

An item is found again by the id that its client chose, so a batch that is sent again, or part of one, stores nothing
twice. Positions are taken under the lock of the run's row: a reader who continues after a position misses nothing. What
an item holds was checked before, and is not looked at here.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Row, Select, bindparam, select, update

from anonrun.core.batches import batches
from anonrun.core.limits import Limits
from anonrun.store.live import LIVE
from anonrun.store.quota import NoRoom, OverQuota, TooFast, paced, refusal
from anonrun.store.records import Run
from anonrun.store.room import Room
from anonrun.store.schema import MEDIA, RUN
from anonrun.store.transaction import Tx

__all__ = ["PAGE_BYTES", "PICTURE", "Added", "Item", "Page", "Quota", "add", "one", "page", "weight"]

PAGE_BYTES = 1 << 20
PICTURE = "image"
"""The kind whose content is read one by one."""
_MOST_ITEMS = 1_000
_HEAD_BYTES = 512
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item.

    Attributes:
        media_id: 16 bytes, as its client chose them.
        kind: what it is.
        key: what it was logged under.
        step: at which step.
        time_us: when, by its client.
        type: content type.
        content: the bytes; None where only the rest was read.
        size_bytes: how many they are.
        digest: their SHA-256.
        place: among the items that one call logged under this key.
        caption: empty for none.
        position: among all items of the run, from 1 on; 0 for one that is not stored yet.
    """

    media_id: bytes
    kind: str
    key: str
    step: int
    time_us: int
    type: str
    content: bytes | None
    size_bytes: int
    digest: bytes
    place: int = 0
    caption: str = ""
    position: int = 0

    @staticmethod
    def of(content: bytes, **fields: Any) -> Item:  # noqa: ANN401  Item's fields
        """Return an item with its content."""
        return Item(content=content, size_bytes=len(content), digest=hashlib.sha256(content).digest(), **fields)


@dataclass(frozen=True, slots=True)
class Quota:
    """What an anonymous run is held to.

    Attributes:
        limits: what it may hold, and how often it may deliver.
        room: what all anonymous runs together have taken.
        most_bytes: that they may take; None for no limit.
    """

    limits: Limits
    room: Room
    most_bytes: int | None


@dataclass(frozen=True, slots=True)
class Added:
    """All items are in the store: how many of them came now, and the position of the run's last item."""

    stored: int
    position: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a run.

    Attributes:
        items: in order of arrival.
        position: up to which this goes; give it back as `after`.
        end: whether there is no more.
    """

    items: list[Item]
    position: int
    end: bool


def weight(size_bytes: int, caption: str) -> int:
    """Return what an item counts among a run's stored bytes."""
    return size_bytes + len(caption.encode())


# The statements of this path are built once: building one takes longer than SQLite takes to run it.
_OF = bindparam("of", type_=RUN.c.run_id.type)
_KNOWN = (
    select(MEDIA.c.media_id)
    .join(RUN, RUN.c.run_id == MEDIA.c.run_id)
    .where(MEDIA.c.run_id == _OF, MEDIA.c.media_id.in_(bindparam("ids", expanding=True)), LIVE)
)
_COUNT = (
    update(RUN)
    .where(RUN.c.run_id == _OF, LIVE)
    .values({name: bindparam(f"new_{name}", type_=BigInteger) for name in ("media", "stored_bytes", "flushes_until")})
    .values(heartbeat_at=bindparam("now_us", type_=BigInteger))
)
_LAST = select(RUN.c.media).where(RUN.c.run_id == _OF, LIVE)
_HEAD = [column for column in MEDIA.columns if column.name not in {"run_id", "content"}]
_HEADS: Select[Any] = (
    select(*_HEAD)
    .join(RUN, RUN.c.run_id == MEDIA.c.run_id)
    .where(MEDIA.c.run_id == _OF, LIVE)
    .where(MEDIA.c.position > bindparam("after", type_=BigInteger), MEDIA.c.position <= bindparam("last"))
    .order_by(MEDIA.c.position)
    .limit(_MOST_ITEMS)
)
_CONTENTS = (
    select(MEDIA.c.position, MEDIA.c.content)
    .join(RUN, RUN.c.run_id == MEDIA.c.run_id)
    .where(MEDIA.c.run_id == _OF, MEDIA.c.position.in_(bindparam("positions", expanding=True)), LIVE)
)
_ONE = (
    select(*_HEAD, MEDIA.c.content)
    .join(RUN, RUN.c.run_id == MEDIA.c.run_id)
    .where(MEDIA.c.run_id == _OF, MEDIA.c.media_id == bindparam("media_id"), LIVE)
)


def add(tx: Tx, run: Run, items: Sequence[Item], quota: Quota | None) -> Added | OverQuota | TooFast | NoRoom:
    """Store the items of a batch that are not there yet, all or none.

    Args:
        tx: a writer's transaction.
        run: as it was found in this transaction, which holds its row.
        items: with their contents.
        quota: what the run is held to if it is anonymous; None for nothing.
    """
    limits = quota.limits if quota is not None and run.expires_at is not None else None
    flushes_until = paced(limits, run.flushes_until, tx.now_us)
    if isinstance(flushes_until, TooFast):
        return flushes_until
    at = {"of": run.run_id, "now_us": tx.now_us}
    wanted: dict[bytes, Item] = {}
    for item in items:
        wanted.setdefault(item.media_id, item)
    known = set(tx.conn.execute(_KNOWN, at | {"ids": list(wanted)}).scalars())
    new = [item for media_id, item in wanted.items() if media_id not in known]
    held = {"media": run.media, "stored_bytes": run.stored_bytes}
    more = {"media": len(new), "stored_bytes": sum(weight(item.size_bytes, item.caption) for item in new)}
    if quota is not None and limits is not None and new:
        refused = refusal(tx, limits, held, more, room=quota.room, most_bytes=quota.most_bytes)
        if refused is not None:
            return refused
    counts = {f"new_{what}": held[what] + count for what, count in more.items()}
    tx.conn.execute(_COUNT, at | counts | {"new_flushes_until": flushes_until})
    if new:
        rows = [_row(run.run_id, run.media + 1 + i, item) for i, item in enumerate(new)]
        tx.dialect.insert_rows(tx.conn, MEDIA, rows)
    return Added(len(new), counts["new_media"])


def _row(run_id: uuid.UUID, position: int, item: Item) -> dict[str, object]:
    names = (column.name for column in MEDIA.columns)
    return {name: getattr(item, name, None) for name in names} | {"run_id": run_id, "position": position}


def _item(row: Any, content: bytes | None) -> Item:  # noqa: ANN401  a row of any selection with `_HEAD`
    return Item(content=content, **{column.name: getattr(row, column.name) for column in _HEAD})


def page(
    tx: Tx,
    run_id: uuid.UUID,
    *,
    after: int,
    up_to: int | None = None,
    kinds: Collection[str] | None = None,
    keys: Collection[str] = (),
    size_bytes: int = PAGE_BYTES,
    pictures: bool = False,
) -> Page | None:
    """Return items of a live run after a position, about `size_bytes` of them; None where the run is gone.

    Args:
        tx: a snapshot.
        run_id: the run.
        after: position after which to begin; 0 for the first.
        up_to: last position to return; None for all that are there.
        kinds: these only; None for all.
        keys: these only; empty for all.
        size_bytes: stop before this much is passed; at least one item is returned if there is one.
        pictures: whether to read the contents of pictures too.
    """
    at = {"of": run_id, "now_us": tx.now_us}
    last = tx.conn.execute(_LAST, at).scalar()
    if last is None:
        return None
    last = last if up_to is None else min(last, up_to)
    query = _HEADS
    if kinds is not None:
        query = query.where(MEDIA.c.kind.in_(sorted(kinds)))
    if keys:
        query = query.where(MEDIA.c.key.in_(sorted(keys)))
    heads = tx.conn.execute(query, at | {"after": after, "last": last}).all() if after < last else []
    chosen: list[Row[Any]] = []
    held = 0
    for head in heads:
        read = pictures or head.kind != PICTURE
        held += _HEAD_BYTES + len(head.caption) + (head.size_bytes if read else 0)
        if chosen and held > size_bytes:
            break
        chosen.append(head)
    end = len(chosen) == len(heads) < _MOST_ITEMS
    contents: dict[int, bytes] = {}
    for some in batches([head.position for head in chosen if pictures or head.kind != PICTURE], _AT_ONCE):
        contents |= {row.position: row.content for row in tx.conn.execute(_CONTENTS, at | {"positions": some})}
    items = [_item(head, contents.get(head.position)) for head in chosen]
    return Page(items, max(after, last) if end else chosen[-1].position, end)


def one(tx: Tx, run_id: uuid.UUID, media_id: bytes) -> Item | None:
    """Return an item of a live run with its content, or None."""
    row = tx.conn.execute(_ONE, {"of": run_id, "media_id": media_id, "now_us": tx.now_us}).first()
    return None if row is None else _item(row, row.content)
