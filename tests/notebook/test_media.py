"""Media in the notebook: what goes to the page when, and what is left in the file."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from anonrun.client.media.recent import Recent
from anonrun.core.media import MediaItem
from anonrun.core.messages import RunState, from_json
from anonrun.notebook.media import Media, MediaParcels, still_media
from anonrun.notebook.outputs import send_to_widget
from anonrun.notebook.snapshot import MOST_BYTES, bundle
from anonrun.notebook.source import facts_of
from anonrun.notebook.view import Points, RunView, Snapshot
from anonrun.notebook.widget import static_file
from support.fake_run import FakeRun
from support.media import PNG, media_item, picture


def add(recent: Recent, key: str = "note", content: str = "text", **more: Any) -> None:
    recent.add(from_json(MediaItem, media_item(key, content, **more)))


def add_picture(recent: Recent, key: str = "samples", content: bytes = PNG, **more: Any) -> None:
    recent.add(from_json(MediaItem, picture(key, content, **more)))


def sent(view: RunView, seconds: float, start: float = 0.0) -> list[tuple[float, Any]]:
    """Ask the view ten times a second, and return what it sent and when."""
    found = []
    for tick in range(round(seconds * 10)):
        view.read()
        message = view.next(start + tick / 10)
        if message is not None:
            found.append((start + tick / 10, message))
    return found


def media_of(messages: list[tuple[float, Any]]) -> list[tuple[float, Media]]:
    return [(at, message) for at, message in messages if isinstance(message, Media)]


def test_an_item_goes_out_as_what_is_said_of_it_and_its_bytes() -> None:
    recent = Recent()
    add_picture(recent, caption="a seven", step=4)
    parcels = MediaParcels(recent)
    parcel = parcels.next()
    assert parcel is not None
    assert parcel.first
    ((said,), (content,)) = parcel.items, parcel.contents
    assert content == PNG
    assert (said["key"], said["step"], said["caption"], said["size_bytes"]) == ("samples", 4, "a seven", len(PNG))
    assert said.get("content") is None
    assert parcels.next() is None


def test_large_ones_go_out_one_by_one_and_only_the_first_brings_the_script() -> None:
    recent = Recent()
    for _ in range(3):
        add(recent, content="x" * 900_000)
    parcels = MediaParcels(recent)
    assert [(p.first, len(p.items)) for p in iter(parcels.next, None)] == [(True, 1), (False, 1), (False, 1)]


def test_they_go_out_when_they_come_and_again_for_a_page_that_was_late() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    add(run.media)
    times = [at for at, _ in media_of(sent(view, 120))]
    assert [round(at) for at in times] == [0, 1, 2, 4, 8, 16, 30]
    add(run.media, "later")
    ((at, late),) = media_of(sent(view, 10, 120.0))
    assert at <= 120.5
    assert [item["key"] for item in late.items] == ["later"]
    view.hello()
    ((_, again),) = media_of(sent(view, 10, 130.0))
    assert [item["key"] for item in again.items] == ["note", "later"]


def test_points_go_on_beside_media_that_never_end() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    found = []
    for tick in range(100):
        run.log({"loss": float(tick)})
        add(run.media, content="x" * 600_000)
        found += sent(view, 0.1, tick / 10)
    assert sum(isinstance(message, Points) for _, message in found) >= 50
    assert len(media_of(found)) <= 21


def test_at_the_end_the_page_has_everything() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=True)
    add(run.media, "first")
    sent(view, 1)
    add(run.media, "last")
    run.current = replace(run.current, state=RunState.FINISHED)
    (parcel,) = [message for message in view.final() if isinstance(message, Media)]
    assert [item["key"] for item in parcel.items] == ["first", "last"]


def test_a_new_item_is_reason_for_a_new_picture() -> None:
    run = FakeRun()
    view = RunView(run, 0.0, live=False)
    assert isinstance(view.new_snapshot(), Snapshot)
    assert view.new_snapshot() is None
    add(run.media)
    assert isinstance(view.new_snapshot(), Snapshot)


def test_the_script_comes_along_in_a_buffer_and_nothing_in_a_trait() -> None:
    class Widget:
        """A widget's end that notes what is sent; setting any trait would fail."""

        __slots__ = ("sent",)

        def __init__(self) -> None:
            self.sent: list[tuple[dict[str, Any], list[bytes]]] = []

        def send(self, content: dict[str, Any], buffers: list[bytes]) -> None:
            self.sent.append((content, buffers))

    widget = Widget()
    for first in (True, False):
        send_to_widget(widget, Media(first, [{"key": "a"}], [b"content"]))
    (with_script, without) = widget.sent
    assert with_script[0] == {"type": "media", "first": True, "items": [{"key": "a"}]}
    assert gzip.decompress(with_script[1][0]) == static_file("media.js").read_bytes()
    assert len(with_script[1][0]) < 40_000, "sent a few times with each run"
    assert with_script[1][1:] == without[1] == [b"content"]


def test_a_saved_form_says_how_many_there_were_and_shows_the_newest_picture() -> None:
    run = FakeRun()
    for step in (10, 20, 40):
        add_picture(run.media, step=step)
    add(run.media, "a<b>", json.dumps({"edges": [0, 1], "counts": [2]}), kind="histogram", type="application/json")
    add(run.media, "console", "/home/ada/secret", kind="console")
    data = RunView(run, 0.0, live=False).snapshot()
    assert "samples: 3 images, last at step 40" in data["text/plain"]
    assert "a<b>: 1 histogram, last at step 0" in data["text/plain"]
    assert "a&lt;b&gt;: 1 histogram, last at step 0" in data["text/html"]
    assert data["text/html"].count("data:image/png;base64,") == 1
    assert data["text/html"].endswith("</div>")
    assert not [form for form in data.values() if "ada" in form or "console" in form]


@pytest.mark.parametrize("size", [40_000, 50_000, 900_000])
def test_pictures_never_make_the_saved_form_too_large(size: int) -> None:
    run = FakeRun()
    for i in range(12):
        for tick in range(300):
            run.log({f"{split}/metric_{i}": (tick * 7919 % 101) / 3 for split in ("train", "val", "test")})
    add_picture(run.media, content=PNG[:8] + bytes(size))
    for i in range(500):
        add(run.media, f"{i}{'<' * 200}")
    view = RunView(run, 0.0, live=False)
    view.read()
    data = view.snapshot()
    assert sum(len(form.encode()) for form in data.values()) <= MOST_BYTES
    assert "image/png" in data
    assert "more; the run’s page has all" in data["text/plain"]
    small = bundle(facts_of(run, was_anonymous=True, temporary=None), RunView(run, 0.0, live=False).buffer,
                   media=still_media(run.media))  # fmt: skip
    assert ("data:image/png" in small["text/html"]) == (size == 40_000), "60 kB as base64"
