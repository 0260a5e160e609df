from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert import HTMLExporter

from anonrun.errors import UsageError
from anonrun.notebook.cleaning import clean
from anonrun.notebook.json_parts import Parts, without

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MODEL = {"model_module": "@jupyter-widgets/controls", "model_name": "HTMLModel", "state": {"value": "50 %"}}


def view(model: str, **beside: Any) -> Any:
    shown = {VIEW: {"version_major": 2, "version_minor": 0, "model_id": model}, **beside}
    return nbformat.v4.new_output("display_data", data=shown)


def book(*outputs: Any, widgets: Any = None) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("train()", outputs=list(outputs))])
    made.cells.append(nbformat.v4.new_markdown_cell("A note on `metadata.widgets` — with “signs” and \\/."))
    if widgets is not None:
        made.metadata["widgets"] = widgets
    return made


def as_colab_writes(made: nbformat.NotebookNode) -> str:
    """Two spaces, keys in their own order, `nbformat` first, no newline at the end."""
    ordered = {"nbformat": 4, "nbformat_minor": 5, "metadata": made["metadata"], "cells": made["cells"]}
    return json.dumps(ordered, indent=2, ensure_ascii=False)


def colab() -> nbformat.NotebookNode:
    """As Colab saves a progress bar: models beside each other instead of below `state`."""
    made = book(
        view("a1", **{"text/plain": "  0%|          | 0/10", "image/png": PNG}),
        view("b2"),
        nbformat.v4.new_output("stream", text="done\n"),
        widgets={STATE: {"a1": MODEL, "b2": MODEL}},
    )
    made.metadata["colab"] = {"provenance": []}
    return made


def test_a_notebook_as_colab_saves_it_can_be_converted_afterwards_and_keeps_picture_and_text() -> None:
    before = nbformat.from_dict(json.loads(as_colab_writes(colab())))
    with pytest.raises(KeyError, match="state"):
        HTMLExporter().from_notebook_node(before)
    cleaned = clean(as_colab_writes(colab()))
    assert cleaned.what == "broken widget metadata and 2 widget views without a model (1 output held nothing else)"
    left = nbformat.reads(cleaned.text, 4)
    nbformat.validate(left)
    page, _ = HTMLExporter().from_notebook_node(left)
    assert PNG in page.replace("\n", "")
    assert [output.get("data") for output in left.cells[0].outputs] == [
        {"text/plain": "  0%|          | 0/10", "image/png": PNG},
        None,
    ]
    assert left.metadata == {"colab": {"provenance": []}}


def expected(made: nbformat.NotebookNode, *, outputs: list[Any], widgets: Any = None) -> nbformat.NotebookNode:
    left = copy.deepcopy(made)
    left.cells[0].outputs = outputs
    left.metadata.pop("widgets", None)
    if widgets is not None:
        left.metadata["widgets"] = widgets
    return left


SOUND = {"state": {"a1": MODEL}, "version_major": 2, "version_minor": 0}
BROKEN_WIDGETS = [
    pytest.param({STATE: {"a1": MODEL}}, id="as Colab writes it"),
    pytest.param({STATE: {}}, id="empty"),
    pytest.param({STATE: {"state": None}}, id="state is null"),
    pytest.param({}, id="no entry"),
    pytest.param([], id="a list"),
    pytest.param({"application/x-other": {"state": {}}}, id="another entry only"),
]


@pytest.mark.parametrize("widgets", BROKEN_WIDGETS)
def test_widget_metadata_without_state_goes_whatever_else_it_is(widgets: Any) -> None:
    made = book(view("a1", **{"text/html": "<b>50 %</b>"}), widgets=widgets)
    cleaned = clean(nbformat.writes(made))
    assert (cleaned.metadata, cleaned.views, cleaned.outputs) == (True, 1, 0)
    left = nbformat.v4.new_output("display_data", data={"text/html": "<b>50 %</b>"})
    assert cleaned.text == nbformat.writes(expected(made, outputs=[left]))


def test_sound_widget_metadata_and_views_of_its_models_stay() -> None:
    text = nbformat.writes(book(view("a1"), widgets={STATE: SOUND}))
    assert clean(text).text == text
    assert not clean(text).changed
    assert clean(text).what == ""


def test_of_several_entries_only_the_broken_one_goes() -> None:
    made = book(view("a1"), widgets={STATE: SOUND, "application/x-other": {"a": 1}})
    cleaned = clean(nbformat.writes(made))
    assert cleaned.text == nbformat.writes(expected(made, outputs=[view("a1")], widgets={STATE: SOUND}))


def test_a_view_whose_model_was_not_saved_goes_with_what_was_said_about_it() -> None:
    lost = view("gone", **{"text/plain": "IntSlider(value=3)"})
    lost.metadata = {VIEW: {"x": 1}, "text/plain": {"y": 2}}
    made = book(view("a1"), lost, widgets={STATE: SOUND})
    left = nbformat.v4.new_output("display_data", data={"text/plain": "IntSlider(value=3)"})
    left.metadata = {"text/plain": {"y": 2}}
    cleaned = clean(nbformat.writes(made))
    assert cleaned.text == nbformat.writes(expected(made, outputs=[view("a1"), left], widgets={STATE: SOUND}))


def test_a_cell_that_showed_nothing_but_lost_views_is_left_without_outputs() -> None:
    made = book(view("a"), view("b"), view("c"))
    cleaned = clean(nbformat.writes(made))
    assert (cleaned.views, cleaned.outputs) == (3, 3)
    assert cleaned.text == nbformat.writes(expected(made, outputs=[]))


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda made: nbformat.writes(made) + "\n", id="nbformat"),
        pytest.param(as_colab_writes, id="Colab"),
        pytest.param(json.dumps, id="one line, escaped"),
        pytest.param(lambda made: json.dumps(made, indent="\t").replace("\n", "\r\n"), id="tabs and CRLF"),
        pytest.param(lambda made: json.dumps(made).replace("/", r"\/"), id="escaped slashes"),
    ],
)
def test_what_is_not_removed_stays_as_it_is_written(write: Any) -> None:
    made = book(view("gone", **{"text/plain": "x"}), view("gone"), widgets={STATE: {"a": MODEL}})
    left = expected(made, outputs=[nbformat.v4.new_output("display_data", data={"text/plain": "x"})])
    cleaned = clean(write(made))
    assert cleaned.text == write(left)
    assert clean(cleaned.text).text == cleaned.text
    assert not clean(cleaned.text).changed


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "it is not JSON", id="empty"),
        pytest.param("# a script\n", "it is not JSON", id="a script"),
        pytest.param("[]", "has no `nbformat`", id="a list"),
        pytest.param('{"a": 1}', "has no `nbformat`", id="another object"),
        pytest.param('{"nbformat": 3, "worksheets": []}', "old format 3; convert it first", id="format 3"),
        pytest.param('{"nbformat": 4, "metadata": {}}', "`cells` or `metadata` is missing", id="no cells"),
        pytest.param('{"nbformat": 4, "cells": {}, "metadata": {}}', "`cells` or `metadata`", id="other cells"),
        pytest.param("[" * 200_000, "nested too deeply", id="too deep"),
        pytest.param('{"nbformat": ' + "9" * 5_000 + "}", "it is not JSON", id="a number without end"),
    ],
)
def test_what_is_no_notebook_is_refused_and_says_why(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        clean(text)


def test_cells_and_outputs_of_any_shape_are_left_alone() -> None:
    odd = {"nbformat": 4, "metadata": {}, "cells": [1, None, {"outputs": 3}, {"outputs": [None, {"data": []}, {}]}]}
    assert not clean(json.dumps(odd)).changed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(json_values, max_size=5) | st.dictionaries(st.text(max_size=3), json_values, max_size=5),
    st.sets(st.integers(0, 4)),
    st.sampled_from([None, 0, 1, "\t"]),
)
def test_any_parts_can_be_cut_and_the_rest_is_what_it_would_be_without_them(
    whole: Any, gone: set[int], indent: Any
) -> None:
    text = json.dumps(whole, indent=indent)
    parts = Parts(text, 0)
    starts = {part.start for i, part in enumerate(parts) if i in gone}
    left = without(text, parts.cuts(lambda part: part.start in starts))
    if isinstance(whole, dict):
        kept: Any = {key: value for i, (key, value) in enumerate(whole.items()) if i not in gone}
    else:
        kept = [value for i, value in enumerate(whole) if i not in gone]
    assert left == json.dumps(kept, indent=indent)
