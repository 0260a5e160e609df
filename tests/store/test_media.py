"""Media in the store: each item once, in order, within what a run may have, and gone with it."""

from __future__ import annotations

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from anonrun.core.limits import DEFAULT_LIMITS, Limits
from anonrun.store import media, retention, runs
from anonrun.store.check import check
from anonrun.store.database import Database
from anonrun.store.ingest import append
from anonrun.store.media import Added, Item, Page, Quota
from anonrun.store.quota import NoRoom, OverQuota, TooFast
from anonrun.store.records import Account, Run
from anonrun.store.room import Room
from anonrun.store.schema import MEDIA, RUN
from support.databases import Place
from support.site import SetClock
from support.stored import MakeRun, incoming

_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def item(number: int, content: bytes = b"text", *, kind: str = "text", **more: Any) -> Item:
    fields: dict[str, Any] = {"key": "a/b", "step": number, "time_us": number, "type": "text/plain"}
    return Item.of(content, media_id=number.to_bytes(16, "big"), kind=kind, **(fields | more))


def found(db: Database, run_id: uuid.UUID) -> Run:
    run = db.read_now(lambda tx: runs.find(tx, run_id))
    assert run is not None
    return run


def add(db: Database, run_id: uuid.UUID, *items: Item, quota: Quota | None = None) -> object:
    def change(tx: Any) -> object:
        run = runs.find(tx, run_id)
        assert run is not None
        return media.add(tx, run, items, quota)

    return db.write_now(change)


def read(db: Database, run_id: uuid.UUID, **asked: Any) -> Page:
    page = db.read_now(lambda tx: media.page(tx, run_id, **({"after": 0} | asked)))
    assert page is not None
    return page


def quota(room: int | None = None, **limits: int) -> Quota:
    return Quota(replace(Limits(flushes_per_s=0), **limits), Room(), room)


def rows_of(db: Database) -> int:
    count = select(func.count()).select_from(MEDIA)
    return int(db.read_now(lambda tx: tx.conn.execute(count).scalar_one()))


def test_items_come_back_as_they_were_in_order_of_arrival(db: Database, make_run: MakeRun, database: Place) -> None:
    run_id = make_run()
    first = item(1, "größer\0".encode(), caption="Ä", place=3, step=-(2**63), time_us=-1)
    second = item(2, _PICTURE, kind="image", type="image/png", step=2**63 - 1)
    assert add(db, run_id, first, second) == Added(2, 2)
    assert add(db, run_id, item(3, b"")) == Added(1, 3)
    page = read(db, run_id)
    expected = [
        replace(first, position=1),
        replace(second, position=2, content=None),
        replace(item(3, b""), position=3),
    ]
    assert page.items == expected
    assert (page.position, page.end) == (3, True)
    assert db.read_now(lambda tx: media.one(tx, run_id, second.media_id)) == replace(second, position=2)
    assert read(db, run_id, pictures=True).items[1].content == _PICTURE
    assert db.read_now(lambda tx: media.one(tx, run_id, b"x" * 16)) is None
    run = found(db, run_id)
    assert (run.media, run.stored_bytes) == (3, len("größer\0".encode()) + 2 + len(_PICTURE))
    assert check(database.where).faults == []


def test_a_batch_that_is_sent_again_in_full_or_in_part_stores_nothing_twice(db: Database, make_run: MakeRun) -> None:
    run_id, other = make_run(), make_run()
    one, two, three = (item(n) for n in (1, 2, 3))
    assert add(db, run_id, one, two) == Added(2, 2)
    assert add(db, run_id, one, two) == Added(0, 2)
    assert add(db, run_id, item(2, b"other content"), three, three) == Added(1, 3)
    assert [found.content for found in read(db, run_id).items] == [b"text"] * 3
    assert add(db, other, one) == Added(1, 1), "another run's ids are its own"


def test_two_writers_at_once_leave_each_item_once_and_no_gap(
    database: Place, clock: SetClock, db: Database, make_run: MakeRun
) -> None:
    run_id = make_run()
    again = Database.open(database.where, clock=clock)
    batches = [[item(n) for n in range(first, first + 4)] for first in range(0, 40, 2)]  # each overlaps the next

    def send(where: Database) -> int:
        return sum(add(where, run_id, *batch).stored for batch in batches)  # type: ignore[attr-defined]  # all are stored

    with ThreadPoolExecutor(2) as pool:
        stored = sum(pool.map(send, (db, again)))
    again.close()
    page = read(db, run_id)
    assert stored == len(page.items) == found(db, run_id).media == 42
    assert [found.position for found in page.items] == list(range(1, 43))
    assert len({found.media_id for found in page.items}) == 42
    assert check(database.where).faults == []


def test_a_page_ends_by_bytes_and_the_next_goes_on_after_it(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    add(db, run_id, *(item(n, bytes(1_000)) for n in range(5)), item(5, bytes(5_000)), item(6, _PICTURE, kind="image"))
    pages, after = [], 0
    while True:
        page = read(db, run_id, after=after, size_bytes=4_000)
        pages.append([found.position for found in page.items])
        after = page.position
        if page.end:
            break
    assert pages == [[1, 2], [3, 4], [5], [6], [7]]
    assert after == 7
    assert read(db, run_id, after=7) == Page([], 7, end=True)
    assert read(db, run_id, after=100) == Page([], 100, end=True)
    assert read(db, run_id, up_to=2).position == 2


def test_a_page_of_some_kinds_and_keys_goes_on_behind_the_others(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    add(db, run_id, item(1, key="a"), item(2, key="b"), item(3, _PICTURE, kind="image", key="a"), item(4, key="c"))
    some = read(db, run_id, kinds=["text"], keys=["a", "b"])
    assert [found.position for found in some.items] == [1, 2]
    assert (some.position, some.end) == (4, True)
    assert read(db, run_id, kinds=[]).items == []


def test_many_small_items_make_several_pages(db: Database, make_run: MakeRun, user: Account) -> None:
    run_id = make_run(owner=user, keep_us=None)
    for first in range(0, 1_024, 256):
        add(db, run_id, *(item(first + n, b"") for n in range(256)))
    page = read(db, run_id, size_bytes=1 << 23)
    assert (len(page.items), page.position, page.end) == (1_000, 1_000, False)
    rest = read(db, run_id, after=1_000)
    assert (len(rest.items), rest.end) == (24, True)


# Quotas


def test_an_anonymous_run_has_so_many_items_and_not_one_more(db: Database, make_run: MakeRun) -> None:
    run_id = make_run()
    limits = quota(media=3)
    assert add(db, run_id, item(1), item(2), quota=limits) == Added(2, 2)
    assert add(db, run_id, item(3), item(4), quota=limits) == OverQuota("media", 3)
    assert found(db, run_id).media == rows_of(db) == 2, "all or none"
    assert add(db, run_id, item(3), quota=limits) == Added(1, 3)
    assert add(db, run_id, item(4), quota=limits) == OverQuota("media", 3)
    assert add(db, run_id, item(1), item(3), quota=limits) == Added(0, 3), "what is there is acknowledged"
    assert DEFAULT_LIMITS.media == 5_000


def test_bytes_of_media_and_history_count_together(db: Database, make_run: MakeRun) -> None:
    run_id, segment = make_run(), incoming([1.0])
    size = len(segment.payload)
    most = size + 10
    assert add(db, run_id, item(1, b"12345678", caption="ab"), quota=quota(stored_bytes=most)) == Added(1, 1)
    limits = replace(DEFAULT_LIMITS, stored_bytes=most - 1)
    assert db.write_now(lambda tx: append(tx, run_id, [segment], limits)) == OverQuota("stored_bytes", most - 1)
    limits = replace(DEFAULT_LIMITS, stored_bytes=most)
    assert not isinstance(db.write_now(lambda tx: append(tx, run_id, [segment], limits)), OverQuota)
    assert add(db, run_id, item(2, b"1"), quota=quota(stored_bytes=most)) == OverQuota("stored_bytes", most)
    assert add(db, run_id, item(2, b""), quota=quota(stored_bytes=most)) == Added(1, 2)


def test_all_anonymous_runs_together_have_the_room_that_there_is(db: Database, make_run: MakeRun) -> None:
    one, two = make_run(), make_run()
    limits = quota(10)
    assert add(db, one, item(1, b"123456"), quota=limits) == Added(1, 1)
    assert add(db, two, item(1, b"12345"), quota=limits) == NoRoom()
    assert add(db, two, item(1, b"1234"), quota=limits) == Added(1, 1)
    assert add(db, two, item(2, b"1"), quota=limits) == NoRoom()


def test_a_run_that_is_kept_has_no_quota(db: Database, make_run: MakeRun, user: Account) -> None:
    run_id = make_run(owner=user, keep_us=None)
    tight = Quota(replace(DEFAULT_LIMITS, media=1, stored_bytes=1, flushes_per_s=1), Room(), 1)
    for n in range(5):
        assert add(db, run_id, item(n), quota=tight) == Added(1, n + 1)


def test_media_and_segments_share_what_a_run_may_deliver_in_a_second(
    db: Database, make_run: MakeRun, clock: SetClock
) -> None:
    run_id = make_run()
    limits = quota(flushes_per_s=2)
    assert add(db, run_id, item(1), quota=limits) == Added(1, 1)
    db.write_now(lambda tx: append(tx, run_id, [incoming([1.0])], limits.limits))
    refused = add(db, run_id, item(2), quota=limits)
    assert isinstance(refused, TooFast)
    clock.forward(us=refused.wait_us)
    assert add(db, run_id, item(2), quota=limits) == Added(1, 2)


# The end


def test_media_are_there_until_the_microsecond_of_the_expiry(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    add(db, run_id, item(1))
    clock.forward(days=7, us=-1)
    assert read(db, run_id).items
    run = found(db, run_id)
    clock.forward(us=1)
    assert db.read_now(lambda tx: media.page(tx, run_id, after=0)) is None
    assert db.read_now(lambda tx: media.one(tx, run_id, item(1).media_id)) is None
    assert db.write_now(lambda tx: runs.find(tx, run_id)) is None
    assert run.media == 1


def test_a_purge_takes_media_in_batches_bounded_by_rows_and_by_bytes(
    db: Database, make_run: MakeRun, clock: SetClock, database: Place
) -> None:
    run_id = make_run()
    big = bytes(1 << 20)
    add(db, run_id, *(item(n) for n in range(5)), *(item(n, big) for n in range(5, 15)))
    clock.forward(days=7)
    db.write_now(lambda tx: retention.tombstone_some(tx, 10))
    left = []
    while db.write_now(lambda tx: retention.purge_some(tx, rows=4)):
        left.append(rows_of(db))
    assert left == [11, 7, 3, 0, 0]
    assert check(database.where).faults == []


def test_a_step_of_a_purge_takes_eight_megabytes_at_most(db: Database, make_run: MakeRun, clock: SetClock) -> None:
    run_id = make_run()
    add(db, run_id, *(item(n, bytes(1 << 20)) for n in range(10)))
    clock.forward(days=7)
    db.write_now(lambda tx: retention.tombstone_some(tx, 10))
    db.write_now(lambda tx: retention.purge_some(tx, rows=500))
    assert rows_of(db) == 2


@pytest.mark.databases("sqlite")
def test_after_a_removal_no_byte_of_an_item_is_in_the_files(
    tmp_path: Path, db: Database, make_run: MakeRun, clock: SetClock
) -> None:
    canaries = ["canary-content-51", "canary-caption-52", "canary-key-53"]
    content, caption, key = canaries
    run_id = make_run()
    small = item(1, content.encode(), caption=caption, key=key)
    large = item(2, content.encode() * 20_000, caption=caption)  # on pages of its own
    add(db, run_id, small, large)

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))

    assert all(canary.encode() in files() for canary in canaries)
    clock.forward(days=7)
    db.write_now(lambda tx: retention.tombstone_some(tx, 2))
    while db.write_now(lambda tx: retention.purge_some(tx, rows=3)):
        pass
    db.give_space_back_now()
    left = files()
    assert not any(canary.encode() in left for canary in canaries)
    assert hashlib.sha256(content.encode()).digest() not in left


# The check


_DAMAGE = {
    "content": (MEDIA, {"content": b"tixt"}, "the content of text 'a/b' is not what was sent"),
    "size": (MEDIA, {"size_bytes": 5}, "it holds 4 bytes, its row counts 5"),
    "kind": (MEDIA, {"kind": "sound"}, "its kind 'sound' is none that is known"),
    "place": (MEDIA, {"position": 2}, "position 1 should come here"),
    "count": (RUN, {"media": 2}, "it counts 2 items of media; they go to position 1"),
}


@pytest.mark.parametrize("what", _DAMAGE)
def test_a_check_names_what_is_wrong(db: Database, make_run: MakeRun, database: Place, what: str) -> None:
    table, values, said = _DAMAGE[what]
    add(db, make_run(), item(1))
    db.write_now(lambda tx: tx.conn.execute(update(table).values(**values)))
    report = check(database.where)
    assert report.media == 1
    assert any(said in str(fault) for fault in report.faults), report.faults
