"""Media from the wire to the store and back: what is taken, and what a reader is shown.

Checking an item costs time in proportion to its content, so a large batch is checked on a thread, as segments are. What
a program printed may name people, hosts and paths; it is shown to who may read files only, and where somebody reads by
a blind link, so is nothing else that names who made the run.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Collection
from typing import Any

from anonrun.core.media import MAX_BATCH_ITEMS, MediaInfo, MediaItem, MediaKind, content_bytes, item_problem
from anonrun.core.times import from_us, to_us
from anonrun.server.actors import Actor
from anonrun.server.bodies import message, parse_json
from anonrun.server.policy import Action, can
from anonrun.server.problems import ProblemError
from anonrun.server.services.blind import blinded_caption, names_maker, sees_blind
from anonrun.store import media
from anonrun.store.database import Database
from anonrun.store.media import PICTURE, Item
from anonrun.store.records import Run

__all__ = ["decode_batch", "info", "kinds_shown", "media_id_of", "shown", "whole_items"]

_INLINE_BYTES = 32 * 1024
_ID_BYTES = 16
_PRINTED = MediaKind.CONSOLE


def _batch(body: bytes) -> list[Item]:
    data = parse_json(body)
    said = data.get("items") if isinstance(data, dict) else None
    if not isinstance(said, list) or not said:
        raise ProblemError("request_invalid", "The body must have items, a list of at least one.")
    if len(said) > MAX_BATCH_ITEMS:
        raise ProblemError("body_too_large", f"A request may hold {MAX_BATCH_ITEMS} items. Send less at once.")
    return [_item(one, number) for number, one in enumerate(said)]


def _item(said: Any, number: int) -> Item:  # noqa: ANN401  JSON has no narrower type
    where = f"items[{number}]"
    try:
        item = message(MediaItem, said, where, raw=("content",))
    except ProblemError as exc:
        said_why = str(exc.body["detail"])
        detail = said_why if where in said_why else f"{where}: {said_why}"
        raise ProblemError("media_invalid", detail, item=number) from None
    problem = item_problem(item)
    if problem is not None:
        raise ProblemError("media_invalid", f"{where} ({item.kind.value} {item.key[:80]!r}): {problem}.", item=number)
    return Item.of(
        content_bytes(item.kind, item.content),
        media_id=bytes.fromhex(item.media_id),
        kind=item.kind.value,
        key=item.key,
        step=item.step,
        time_us=to_us(item.time),
        type=item.type,
        place=item.index,
        caption=item.caption,
    )


async def decode_batch(body: bytes) -> list[Item]:
    """Return the items of a batch, checked; a large one on a thread.

    Raises:
        ProblemError: `request_invalid` or `body_too_large`; `media_invalid`, which names the first item that cannot be
            stored, and why.
    """
    if len(body) <= _INLINE_BYTES:
        return _batch(body)
    return await asyncio.get_running_loop().run_in_executor(None, _batch, body)


def kinds_shown(actor: Actor, run: Run, asked: list[str]) -> frozenset[str] | None:
    """Return the kinds of those that are asked for (none: all) that an actor may see; None for every kind.

    Raises:
        ProblemError: `request_invalid`: there is no such kind.
    """
    every = frozenset(kind.value for kind in MediaKind)
    unknown = sorted(set(asked) - every)
    if unknown:
        raise ProblemError("request_invalid", f"kind must be one of {', '.join(kind.value for kind in MediaKind)}.")
    may_read_printed = can(actor, Action.READ_FILES, run)
    if not asked and may_read_printed:
        return None
    return frozenset(asked or every) - (frozenset() if may_read_printed else {_PRINTED.value})


def shown(actor: Actor, run: Run, item: Item) -> bool:
    """Whether an actor who may read a run is shown an item of it, which is with its content unless it is a picture."""
    if item.kind == _PRINTED.value and not can(actor, Action.READ_FILES, run):
        return False
    return not (sees_blind(actor, run) and names_maker(run, item.key, _readable(item)))


async def whole_items(
    db: Database, actor: Actor, run: Run, *, kinds: Collection[str] = (), pictures: bool = True
) -> AsyncIterator[list[Item]]:
    """Yield all items of a run that an actor is shown, in order and a page at a time.

    Args:
        db: the store.
        actor: may read the run.
        run: as it was found; what comes later is left out.
        kinds: these only; empty for all.
        pictures: whether the contents of pictures are read too.
    """
    some = kinds_shown(actor, run, list(kinds))
    after, end = 0, not run.media
    while not end:
        page = await db.read(
            lambda tx, after=after: media.page(  # type: ignore[misc]  # the default binds the loop's value
                tx, run.run_id, after=after, up_to=run.media, kinds=some, pictures=pictures
            )
        )
        if page is None:  # it ceased to exist meanwhile
            return
        yield [item for item in page.items if shown(actor, run, item)]
        after, end = page.position, page.end


def _text(item: Item) -> str:
    return (item.content or b"").decode("utf-8", "replace")


def _readable(item: Item) -> str:
    """Return an item's texts as a reader sees them: JSON without its escapes, nothing of a picture."""
    if item.kind == PICTURE:
        return ""
    text = _text(item)
    if item.type == "application/json":
        with contextlib.suppress(ValueError, RecursionError):  # then it is no JSON, and has no escapes
            text = json.dumps(json.loads(text), ensure_ascii=False)
    return text


def info(actor: Actor, run: Run, item: Item) -> MediaInfo:
    """Return an item as an actor is shown it; a picture's content, where it was read, as base64."""
    content = None
    if item.content is not None:
        content = base64.b64encode(item.content).decode("ascii") if item.kind == PICTURE else _text(item)
    return MediaInfo(
        position=item.position,
        media_id=item.media_id.hex(),
        kind=MediaKind(item.kind),
        key=item.key,
        step=item.step,
        time=from_us(item.time_us),
        type=item.type,
        size_bytes=item.size_bytes,
        index=item.place,
        caption=blinded_caption(run, item.caption) if sees_blind(actor, run) else item.caption,
        content=content,
    )


def media_id_of(text: str) -> bytes:
    """Return the id that a path names.

    Raises:
        ProblemError: `media_not_found`, as for an item that is not there.
    """
    try:
        media_id = bytes.fromhex(text)
    except ValueError:
        media_id = b""
    if len(media_id) != _ID_BYTES or media_id.hex() != text:
        raise ProblemError("media_not_found")
    return media_id
