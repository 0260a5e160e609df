"""What a process remembers of the media that it logged."""

from __future__ import annotations

from typing import Any

import pytest

from anonrun.client.media.recent import Recent
from anonrun.core.media import MediaItem, MediaKind
from anonrun.core.messages import from_json
from support.media import media_item, picture


def item(key: str = "note", content: str = "text", **more: Any) -> MediaItem:
    return from_json(MediaItem, media_item(key, content, **more))


def keys(recent: Recent, position: int = 0) -> list[str]:
    return [kept.item.key for kept in recent.after(position)]


def test_items_are_read_in_order_of_arrival_from_any_position_on() -> None:
    recent = Recent()
    for key in ("a", "b", "a"):
        recent.add(item(key))
    assert keys(recent) == ["a", "b", "a"]
    assert keys(recent, 1) == ["b", "a"]
    assert keys(recent, recent.position) == []


def test_a_tally_counts_all_and_knows_the_largest_step() -> None:
    recent = Recent(most_items=1)
    for step in (-5, 40, 20):
        recent.add(item("a", step=step))
    recent.add(item("a", "{}", kind="figure", type="application/json", step=-7))
    assert [(tally.kind, tally.count, tally.last_step) for tally in recent.tallies()] == [
        (MediaKind.TEXT, 3, 40),
        (MediaKind.FIGURE, 1, -7),
    ]
    assert len(recent.after(0)) == 1


def test_what_the_program_printed_is_not_remembered() -> None:
    recent = Recent()
    recent.add(item("console", "hello", kind="console"))
    assert (recent.position, recent.after(0), recent.tallies()) == (0, [], [])


@pytest.mark.parametrize("bounds", [{"most_chars": 100}, {"most_items": 10}])
def test_where_room_is_short_the_name_that_takes_the_most_gives_way(bounds: dict[str, int]) -> None:
    recent = Recent(**bounds)
    recent.add(item("rare", "x" * 10))
    for _ in range(200):
        recent.add(item("often", "x" * 10))
    assert keys(recent) == ["rare"] + ["often"] * 9


def test_the_newest_is_held_however_large() -> None:
    recent = Recent(most_chars=10)
    recent.add(item("small", "x"))
    recent.add(item("large", "x" * 50))
    assert keys(recent) == ["large"]


def test_the_newest_picture_is_one_that_fits() -> None:
    recent = Recent()
    for key, size in (("first", 8), ("fits", 9), ("large", 3_000)):
        recent.add(from_json(MediaItem, picture(key, b"\x89PNG\r\n\x1a\n" + bytes(size))))
    recent.add(item())
    newest = recent.newest_picture(1_000)
    assert newest is not None
    assert newest.key == "fits"
    assert recent.newest_picture(5) is None
