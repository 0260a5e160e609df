"""The widget and its snapshot with real ipywidgets; only the wire to a page is replaced, at the seam meant for that."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

from anonrun.core.wire import decode
from anonrun.notebook import widget as widget_module
from anonrun.notebook.display import Kernel, StaticView
from anonrun.notebook.hosts import host_named
from anonrun.notebook.outputs import NotebookOutputs
from anonrun.notebook.publisher import Publisher
from anonrun.notebook.view import Points, SecretsMessage, Traits
from anonrun.notebook.widget import WidgetMissingError, new_widget, static_file
from support.fake_run import FakeRun


@dataclass
class Wire:
    """What went to the page: message type, data and buffers of each comm message."""

    sent: list[tuple[str, dict[str, Any], list[bytes]]] = field(default_factory=list)

    def custom(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        return [(data["content"], buffers) for _, data, buffers in self.sent if data.get("method") == "custom"]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()

    class Recorded(BaseComm):
        def publish_msg(
            self, msg_type: str, data: Any = None, *_others: Any, buffers: Any = None, **_keys: Any
        ) -> None:
            wire.sent.append((msg_type, dict(data or {}), [bytes(buffer) for buffer in buffers or []]))

    monkeypatch.setattr(comm, "create_comm", Recorded)
    return wire


def outputs(run: FakeRun, said: list[str]) -> NotebookOutputs:
    traits = {"run": {"run_id": run.run_id}, "status": {}, "config": {"height": 300}}
    return NotebookOutputs(run.run_id, traits, lambda: said.append("hello"))


def heard(shown: NotebookOutputs, content: object) -> None:
    """Have the widget receive a custom message from its page."""
    shown._widget._handle_msg({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})


def test_points_travel_as_binary_and_say_whether_they_are_all(wire: Wire) -> None:
    shown = outputs(FakeRun(), [])
    run = FakeRun()
    run.log({"loss": 0.5})
    from anonrun.core.wire import encode

    segment = encode(run.feed().read_new(), writer=0, seq=0, compress=False)
    shown.send(Points(no=3, reset=True, complete=False, segment=segment))
    ((content, buffers),) = wire.custom()
    assert content == {"type": "points", "no": 3, "reset": True, "complete": False}
    assert decode(buffers[0]).frames[0].columns[0].tolist() == [0.5]


def test_secrets_travel_by_message_and_never_by_trait(wire: Wire) -> None:
    run = FakeRun()
    shown = outputs(run, [])
    shown.send(SecretsMessage(run.tokens.view, run.tokens.claim))
    ((content, _),) = wire.custom()
    assert content == {"type": "secrets", "view": run.tokens.view, "claim": run.tokens.claim}
    state = [data["state"] for _, data, _ in wire.sent if "state" in data]
    assert "anr_" not in json.dumps([{k: v for k, v in one.items() if k not in ("_esm", "_css")} for one in state])


def test_a_trait_goes_out_when_it_changes(wire: Wire) -> None:
    shown = outputs(FakeRun(), [])
    wire.sent.clear()
    shown.send(Traits({"status": {"rows": 3}}))
    ((_, data, _),) = wire.sent
    assert data["state"] == {"status": {"rows": 3}}


def test_a_page_is_answered_and_nonsense_is_not(wire: Wire) -> None:
    said: list[str] = []
    shown = outputs(FakeRun(), said)
    for content in (
        {"type": "hello"},
        {"type": "asset", "name": "../secrets"},
        {"type": "asset"},
        "hello",
        None,
        7,
        ["hello"],
    ):
        heard(shown, content)
    assert said == ["hello"]
    assert not wire.custom()


def test_a_page_gets_plotly_from_the_kernel_compressed(wire: Wire) -> None:
    shown = outputs(FakeRun(), [])
    heard(shown, {"type": "asset", "name": "plotly"})
    ((content, buffers),) = wire.custom()
    assert content == {"type": "asset", "name": "plotly"}
    assert gzip.decompress(buffers[0]) == static_file("plotly.js").read_bytes()
    assert len(buffers[0]) < 600_000


def test_at_the_end_nothing_of_the_widget_stays_open(wire: Wire) -> None:
    shown = outputs(FakeRun(), [])
    opened = [kind for kind, _, _ in wire.sent].count("comm_open")
    shown.close()
    assert [kind for kind, _, _ in wire.sent].count("comm_close") == opened
    shown.send(SecretsMessage("v", "c"))
    assert not wire.custom()


def test_the_script_is_small_enough_to_be_sent_with_each_widget(wire: Wire) -> None:
    new_widget(run={}, status={}, config={})
    state = next(data["state"] for kind, data, _ in wire.sent if kind == "comm_open" and "_esm" in data["state"])
    assert len(state["_esm"]) < 132_000


def test_a_missing_build_names_the_file_and_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(widget_module, "_PLACES", {"widget.js": tmp_path})
    with pytest.raises(
        WidgetMissingError, match=r"widget\.js is missing at .*npm --prefix js install && npm --prefix js run build"
    ):
        static_file("widget.js")


def kernel_in(host: str) -> Kernel:
    return Kernel(host=lambda: host_named(host), publisher=Publisher(pause_s=0.01, name="anonrun-test"))


def printed(kernel: Kernel, run: FakeRun) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as sink:
        assert kernel.show(run, None, {}) is None
    return sink.getvalue()


def test_a_terminal_gets_lines_of_text() -> None:
    run = FakeRun()
    run.log({"loss": 0.5})
    said = printed(kernel_in("terminal"), run)
    assert said.splitlines()[:2] == ["anonrun: quiet-river · running · step 0", "  loss  0.5  (min 0.5, max 0.5)"]
    assert "anr_" not in said


def test_marimo_gets_something_that_it_can_display_of_a_run_that_has_ended() -> None:
    run, kernel = FakeRun(), kernel_in("marimo")
    run.log({"loss": 0.5})
    run.finish()
    shown = kernel.show(run, None, {})
    assert isinstance(shown, StaticView)
    assert "<img" in shown._repr_html_()
    assert repr(shown).startswith("anonrun: quiet-river · finished")


def test_a_run_that_is_switched_off_is_said_to_be() -> None:
    class Off(FakeRun):
        @property
        def disabled(self) -> bool:
            return True

    assert "switched off" in printed(kernel_in("jupyter"), Off())


def test_a_widget_s_run_ends_with_everything_its_page_needs(wire: Wire) -> None:
    run, kernel = FakeRun(), kernel_in("jupyter")
    run.log({"loss": 0.5})
    kernel.show(run, None, {})
    run.log({"loss": 0.25})
    run.finish()
    types = [content["type"] for content, _ in wire.custom()]
    assert types[-2:] == ["secrets", "points"]
    assert decode(wire.custom()[-1][1][0]).frames[0].columns[0].tolist() == [0.5, 0.25]
    last_state = [data["state"] for _, data, _ in wire.sent if "status" in data.get("state", {})][-1]
    assert last_state["status"]["state"] == "finished"
    assert wire.sent[-1][0] == "comm_close"


def test_trouble_with_a_picture_is_a_warning_and_not_an_error_of_finish(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(FakeRun):
        broken = False

        def status(self) -> Any:
            if self.broken:
                raise RuntimeError("no status")
            return super().status()

    run = Broken()
    kernel_in("jupyter").show(run, None, {})
    run.broken = True
    run.finish()
    said = capsys.readouterr().err
    assert "warning: The last picture of this run could not be drawn: RuntimeError('no status')" in said
