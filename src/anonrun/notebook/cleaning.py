"""Takes out of a notebook what keeps others from showing it: widget metadata that is broken, and views of no model.

Pure: text in, text out. What is not removed stays as it is written, character by character, so that a diff shows
nothing else and a second time changes nothing.

- `metadata.widgets` whose entries have no `state`, as Colab saves it: GitHub and nbconvert refuse the whole notebook
  (colabtools #5255, nbconvert #1731).
- The widget view of an output whose model the file does not hold: JupyterLab shows "model not found" instead of the
  picture or text beside it. An output that is nothing but such a view goes altogether.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from anonrun.core.words import counted
from anonrun.errors import UsageError
from anonrun.notebook.json_parts import Cut, Part, Parts, without

__all__ = ["Cleaned", "clean"]

_STATE = "application/vnd.jupyter.widget-state+json"
_VIEW = "application/vnd.jupyter.widget-view+json"
_FORMAT = 4


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left of a notebook, and what was removed.

    Attributes:
        text: the notebook.
        metadata: whether broken widget metadata was removed.
        views: widget views that were removed.
        outputs: outputs that were removed with them, since they held nothing else.
    """

    text: str
    metadata: bool = False
    views: int = 0
    outputs: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was removed."""
        return self.metadata or self.views > 0

    @property
    def what(self) -> str:
        """What was removed, in words; empty where nothing was."""
        said = ["broken widget metadata"] if self.metadata else []
        if self.views:
            whole = f" ({counted(self.outputs, 'output')} held nothing else)" if self.outputs else ""
            said.append(f"{counted(self.views, 'widget view')} without a model{whole}")
        return " and ".join(said)


def clean(text: str) -> Cleaned:
    """Return a notebook without its broken widget metadata and without views whose model is missing.

    Raises:
        UsageError: this is no notebook, or one of before format 4.
    """
    book = _notebook(text)
    top = Parts(text, text.index("{"))
    cuts, known = _metadata_cuts(text, top, book["metadata"])
    metadata = bool(cuts)
    views = outputs = 0
    place = top.get("cells")
    assert place is not None
    for cell in Parts(text, place.at):
        lost = _lost_views(text, cell, known)
        cuts += lost.cuts
        views, outputs = views + lost.views, outputs + lost.outputs
    return Cleaned(without(text, cuts), metadata, views, outputs)


def _notebook(text: str) -> dict[str, Any]:
    """Return what the text holds.

    Raises:
        UsageError: see `clean`.
    """
    try:
        book = json.loads(text)
    except RecursionError:
        raise UsageError("This is no notebook: it is nested too deeply.") from None
    except ValueError as exc:
        raise UsageError(f"This is no notebook: it is not JSON ({exc}).") from None
    if not isinstance(book, dict) or not isinstance(book.get("nbformat"), int):
        raise UsageError("This is no notebook: it is JSON, but has no `nbformat`.")
    if book["nbformat"] < _FORMAT:
        raise UsageError(
            f"This notebook has the old format {book['nbformat']}; convert it first: "
            "jupyter nbconvert --to notebook --inplace FILE"
        )
    if not isinstance(book.get("cells"), list) or not isinstance(book.get("metadata"), dict):
        raise UsageError("This is no notebook: `cells` or `metadata` is missing.")
    return book


def _is_sound(entry: object) -> bool:
    """Return whether one entry of `metadata.widgets` is what the notebook format asks for."""
    return isinstance(entry, dict) and isinstance(entry.get("state"), dict)


def _metadata_cuts(text: str, top: Parts, metadata: dict[str, Any]) -> tuple[list[Cut], set[str]]:
    """Return what to cut from the notebook's metadata, and the ids of the models that it holds."""
    widgets = metadata.get("widgets")
    if widgets is None:  # absent, or null: readers ask for no state then
        return [], set()
    entry = widgets.get(_STATE) if isinstance(widgets, dict) else None
    place = top.get("metadata")
    assert place is not None
    members = Parts(text, place.at)
    if not _is_sound(entry):  # without it nbconvert refuses whatever else there is
        return members.cuts(lambda member: member.key == "widgets"), set()
    held = members.get("widgets")
    assert entry is not None
    assert held is not None
    return Parts(text, held.at).cuts(lambda member: not _is_sound(member.value)), set(entry["state"])


@dataclass(frozen=True, slots=True)
class _Lost:
    """What to cut from a cell, and how many views and whole outputs that is."""

    cuts: list[Cut]
    views: int = 0
    outputs: int = 0


def _lost_views(text: str, cell: Part, known: set[str]) -> _Lost:
    """Return what to cut from a cell so that no view of a missing model is left."""
    outputs = cell.value.get("outputs") if isinstance(cell.value, dict) else None
    if not isinstance(outputs, list) or not any(_is_lost(output, known) for output in outputs):
        return _Lost([])
    place = Parts(text, cell.at).get("outputs")
    assert place is not None
    held = Parts(text, place.at)
    lost = [output for output in held if _is_lost(output.value, known)]
    whole = {output.start for output in lost if len(output.value["data"]) == 1}
    cuts = held.cuts(lambda output: output.start in whole)
    for output in lost:
        if output.start not in whole:
            cuts += _view_cuts(text, output)
    return _Lost(cuts, len(lost), len(whole))


def _is_lost(output: object, known: set[str]) -> bool:
    """Return whether an output shows the view of a model that the file does not hold."""
    data = output.get("data") if isinstance(output, dict) else None
    if not isinstance(data, dict) or _VIEW not in data:
        return False
    view = data[_VIEW]
    model = view.get("model_id") if isinstance(view, dict) else None
    return not (isinstance(model, str) and model in known)


def _view_cuts(text: str, output: Part) -> list[Cut]:
    """Return what to cut so that the view is gone from an output, and what was said about it."""
    members = Parts(text, output.at)
    places = [members.get("data"), members.get("metadata")]
    return [
        cut
        for place in places
        if place is not None and isinstance(place.value, dict)
        for cut in Parts(text, place.at).cuts(lambda member: member.key == _VIEW)
    ]
