"""What each kind of media is made from, and what it says of what it cannot be made from."""

from __future__ import annotations

import base64
import io
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import plotly.graph_objects
import pytest

import anonrun
from anonrun.client.media.content import Content, Media, Unloggable
from anonrun.client.media.figure import Figure
from anonrun.client.media.recognise import media_in
from anonrun.client.media.scoring import pr_points, roc_area, roc_points, thinned, thresholds
from anonrun.core.media import MAX_CONTENT_BYTES, MAX_CURVE_POINTS, content_problem


def stored(medium: Media) -> Content:
    """Return the content of a medium, of which a server has nothing to say."""
    content = medium.content()
    assert content_problem(content.kind, content.type, content.text) is None
    return content


def said(medium: Media) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(stored(medium).text)
    return answer


def pixels(medium: Media) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(base64.b64decode(stored(medium).text)))


def refusal(medium: Media) -> str:
    with pytest.raises(Unloggable) as caught:
        medium.content()
    assert "Traceback" not in str(caught.value)
    repr(medium)
    return str(caught.value)


class Tensor:
    """As PyTorch's: its numbers only by way of `detach`, `cpu` and `numpy`."""

    def __init__(self, array: Any, dtype: str = "torch.float32") -> None:
        self._array = np.asarray(array)
        self.dtype = dtype
        self.shape = self._array.shape

    def detach(self) -> Tensor:
        return self

    cpu = detach

    def float(self) -> Tensor:
        return Tensor(self._array)

    def numpy(self) -> Any:
        if "bfloat16" in self.dtype:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self._array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.numpy()


class Hostile:
    def __iter__(self) -> Iterator[float]:
        yield 1.0
        raise RuntimeError("no more")

    def __str__(self) -> str:
        raise RuntimeError("no text")


def saved(size: tuple[int, int] = (8, 6), form: str = "PNG", mode: str = "RGB") -> bytes:
    sink = io.BytesIO()
    PIL.Image.new(mode, size).save(sink, form)
    return sink.getvalue()


# --- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "size", "mode"),
    [
        pytest.param(np.zeros((6, 8)), (8, 6), "L", id="grey"),
        pytest.param(np.zeros((6, 8, 1), "uint8"), (8, 6), "L", id="one channel"),
        pytest.param(np.zeros((6, 8, 3), "float32"), (8, 6), "RGB", id="colours"),
        pytest.param(np.zeros((6, 8, 4), "uint8"), (8, 6), "RGBA", id="with alpha"),
        pytest.param(np.zeros((3, 6, 8)), (8, 6), "RGB", id="channels first"),
        pytest.param(np.zeros((1, 6, 8)), (8, 6), "L", id="one channel first"),
        pytest.param(np.zeros((1, 3, 6, 8)), (8, 6), "RGB", id="batch of one"),
        pytest.param(Tensor(np.zeros((3, 6, 3))), (3, 6), "RGB", id="tensor has its channels first"),
        pytest.param(Tensor(np.zeros((6, 8)), "torch.bfloat16"), (8, 6), "L", id="bfloat16"),
        pytest.param(np.zeros((6, 8), bool), (8, 6), "L", id="mask"),
        pytest.param(PIL.Image.new("CMYK", (8, 6)), (8, 6), "RGB", id="Pillow, CMYK"),
        pytest.param(PIL.Image.new("I;16", (8, 6)), (8, 6), "L", id="Pillow, 16 bits"),
        pytest.param(PIL.Image.new("P", (8, 6)), (8, 6), "P", id="Pillow, palette"),
        pytest.param(saved(), (8, 6), "RGB", id="bytes"),
        pytest.param(saved(form="BMP"), (8, 6), "RGB", id="bytes of another form"),
    ],
)
def test_a_picture_is_made_from(data: Any, size: tuple[int, int], mode: str) -> None:
    picture = pixels(anonrun.Image(data))
    assert (picture.size, picture.mode) == (size, mode)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([[0.0, 0.5, 1.0]], [0, 128, 255], id="0 … 1"),
        pytest.param([[-1.0, 0.0, 1.0]], [0, 128, 255], id="negative"),
        pytest.param([[0.0, 2.0, 300.0]], [0, 2, 255], id="0 … 255 as floats"),
        pytest.param(np.array([[0, 1, 300]]), [0, 1, 255], id="integers"),
        pytest.param(np.array([[0, 256, 65535]], "uint16"), [0, 1, 255], id="16 bits"),
        pytest.param([[math.nan, 0.0, 1.0]], [0, 0, 255], id="NaN"),
        pytest.param([[0.0, 1.0, math.inf]], [0, 255, 255], id="infinite"),
        pytest.param([[math.nan] * 3], [0, 0, 0], id="nothing but NaN"),
    ],
)
def test_values_become_brightness(values: Any, expected: list[int]) -> None:
    assert np.asarray(pixels(anonrun.Image(np.asarray(values)))).ravel().tolist() == expected


def test_a_picture_is_what_it_was_when_it_was_made() -> None:
    array = np.zeros((2, 2), "uint8")
    picture = anonrun.Image(array)
    array[:] = 255
    assert np.asarray(pixels(picture)).max() == 0


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_file_is_kept_byte_by_byte(form: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(saved(form=form))
    for given in (path, str(path)):
        content = stored(anonrun.Image(given, caption="seen"))
        assert base64.b64decode(content.text) == path.read_bytes()
        assert (content.type, content.caption) == (f"image/{form.lower()}", "seen")


def test_a_picture_of_a_camera_that_was_held_upright_stands_upright() -> None:
    noise = np.random.default_rng(6).integers(0, 256, (900, 1200, 3)).astype("uint8")
    sink = io.BytesIO()
    picture = PIL.Image.fromarray(noise)
    exif = picture.getexif()
    exif[274] = 6  # turned by a quarter
    picture.save(sink, "JPEG", quality=100, exif=exif)
    assert len(sink.getvalue()) > MAX_CONTENT_BYTES
    assert pixels(anonrun.Image(sink.getvalue())).size == (900, 1200)


def test_a_large_picture_is_made_smaller_and_that_is_said() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1500, 3000, 3)).astype("uint8")
    content = stored(anonrun.Image(noise))
    assert len(base64.b64decode(content.text)) <= MAX_CONTENT_BYTES
    assert max(pixels(anonrun.Image(noise)).size) <= 2048
    assert "3000×1500" in " ".join(content.notes)
    seen = np.concatenate([noise[:900, :900], np.full((900, 900, 1), 9, "uint8")], axis=2)
    assert stored(anonrun.Image(seen)).type == "image/webp"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(np.zeros((0, 5)), "no pixels", id="empty"),
        pytest.param(np.zeros(5), "2 or 3 dimensions", id="one dimension"),
        pytest.param(np.zeros((8, 6, 3, 5)), "log a list", id="batch"),
        pytest.param(np.zeros((6, 8, 7)), "1 to 4 channels", id="seven channels"),
        pytest.param(np.zeros((6, 8), object), "are of type object", id="objects"),
        pytest.param(np.zeros((6, 8), complex), "are of type complex", id="complex"),
        pytest.param(np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 20, 1 << 20), (0, 0)), "smaller", id="huge"),
        pytest.param("nowhere.png", "cannot be read", id="no such file"),
        pytest.param(b"no picture", "cannot be read", id="bytes of something else"),
        pytest.param(saved()[:40], "cannot be read", id="cut off"),
        pytest.param(None, "not of a NoneType", id="None"),
        pytest.param(3.0, "not of a float", id="number"),
    ],
)
def test_what_is_no_picture_says_why(data: Any, why: str) -> None:
    assert why in refusal(anonrun.Image(data))


def test_arguments_of_wandbs_image_are_ignored_and_others_are_an_error() -> None:
    assert "boxes" in " ".join(stored(anonrun.Image(np.zeros((2, 2)), boxes={})).notes)
    with pytest.raises(TypeError, match="caption"):
        anonrun.Image(np.zeros((2, 2)), captoin="x")


# --- histograms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bins", [1, 7, 64, 512])
def test_a_histogram_counts_as_numpy_does(bins: int) -> None:
    numbers = np.random.default_rng(2).normal(size=5_000)
    counts, edges = np.histogram(numbers, bins)
    for given in (numbers, numbers.reshape(50, 100), numbers.tolist(), [numbers[:9], numbers[9:]], Tensor(numbers)):
        made = said(anonrun.Histogram(given, num_bins=bins))
        assert np.allclose(made["edges"], edges)
        assert np.abs(np.asarray(made["counts"]) - counts).sum() <= 2  # an edge may be one rounding beside NumPy's
        assert sum(made["counts"]) == 5_000


@pytest.mark.parametrize(
    ("numbers", "kept"),
    [
        pytest.param([1, math.nan, 2, math.inf], 2, id="NaN and infinite"),
        pytest.param(np.array([1, np.nan, np.inf]), 1, id="in an array"),
        pytest.param([5, 5, 5], 3, id="all the same"),
        pytest.param([1e300, -1e308, 1e308], 3, id="as large as can be"),
        pytest.param((number for number in [1, 2, 3]), 3, id="generator"),
        pytest.param([True, False], 2, id="booleans"),
        pytest.param([1, "x", None, 2], 2, id="things between them"),
        pytest.param(np.array([1, 2, None], object), 2, id="objects"),
        pytest.param([10**400, 1], 1, id="beyond every float"),
        pytest.param({3, 4}, 2, id="set"),
    ],
)
def test_a_histogram_keeps_what_is_a_number(numbers: Any, kept: int) -> None:
    assert sum(said(anonrun.Histogram(numbers))["counts"]) == kept


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param([], id="empty"),
        pytest.param(None, id="nothing"),
        pytest.param("123", id="text"),
        pytest.param([math.nan], id="only NaN"),
        pytest.param(np.zeros((0, 3)), id="empty array"),
        pytest.param(Hostile(), id="that raises"),
        pytest.param(7, id="number"),
    ],
)
def test_what_has_no_numbers_says_so(numbers: Any) -> None:
    assert "numbers" in refusal(anonrun.Histogram(numbers))


def test_a_histogram_is_taken_from_numpy() -> None:
    assert said(anonrun.Histogram(np_histogram=np.histogram([1, 2, 2, 3], 3)))["counts"] == [1, 2, 1]
    assert "one edge more" in refusal(anonrun.Histogram(np_histogram=([1, 2], [0, 1])))
    assert "np_histogram" in refusal(anonrun.Histogram(np_histogram=7))


# --- tables and texts ------------------------------------------------------------------------------------------------


def test_cells_are_what_they_were_as_far_as_json_has_it() -> None:
    table = anonrun.Table(columns=["a", 2])
    for value in (
        1,
        0.5,
        "é",
        None,
        True,
        math.nan,
        -math.inf,
        np.int64(7),
        np.float32(0.5),
        np.bool_(True),
        [1],
        1 << 70,
    ):
        table.add_data(value, Hostile())
    cells = [row[0] for row in said(table)["rows"]]
    assert cells == [1, 0.5, "é", None, True, "NaN", "-Infinity", 7, 0.5, True, "[1]", str(1 << 70)]
    assert said(table)["columns"] == ["a", "2"]
    assert cells[4] is True


def test_a_table_is_made_from_rows_arrays_and_frames() -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": pd.array(["a", None], dtype="string")})
    assert said(anonrun.Table(dataframe=frame)) == {"columns": ["x", "y"], "rows": [[1, "a"], [2, None]]}
    assert said(anonrun.Table(columns=["y"], dataframe=frame))["rows"] == [["a"], [None]]
    assert said(anonrun.Table(columns=["x", "y"], data=np.eye(2)))["rows"] == [[1, 0], [0, 1]]
    assert said(anonrun.Table(data=[(1, 2, 3)]))["columns"] == ["Input", "Output", "Expected"]


def test_what_does_not_fit_into_a_table_is_left_out_and_said() -> None:
    table = anonrun.Table(columns=["a", "b"], data=[[1, 2], [3], "no row", 4])
    table.add_data(1)
    table.add_data(anonrun.Image(np.zeros((2, 2))), 2)
    content = stored(table)
    assert len(json.loads(content.text)["rows"]) == 2
    assert "4 rows" in " ".join(content.notes)
    assert "anonrun.Image" in " ".join(content.notes)
    many = stored(anonrun.Table(columns=["a"], data=([n] for n in range(200_000))))
    assert len(json.loads(many.text)["rows"]) == 100_000
    assert "200,000" in " ".join(many.notes)
    for letter in ("é", '"', "\x00"):
        assert "first" in " ".join(stored(anonrun.Table(columns=["a"], data=[[letter * 9_000]] * 200)).notes)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: anonrun.Table(columns=[]), id="no columns"),
        pytest.param(lambda: anonrun.Table(columns=["a"] * 201), id="too many columns"),
        pytest.param(lambda: anonrun.Table(columns=["a"], data=7), id="a number"),
        pytest.param(lambda: anonrun.Table(columns=["a"], data=Hostile()), id="that raises"),
        pytest.param(lambda: anonrun.Table(dataframe=7), id="no frame"),
    ],
)
def test_what_is_no_table_says_why(make: Any) -> None:
    assert refusal(make())


def test_a_text_is_kept_and_cut_where_it_is_too_long() -> None:
    assert stored(anonrun.Text("é\n")).text == "é\n"
    assert stored(anonrun.Text(b"x")).text == "b'x'"
    for letter in ("x", "é", "漢", "\x00", "\udcff"):
        content = stored(anonrun.Text(letter * (MAX_CONTENT_BYTES + 1)))
        assert len(json.dumps(content.text)) < 2_090_000
        assert content.notes


# --- charts ----------------------------------------------------------------------------------------------------------


def test_a_confusion_matrix_counts_who_was_taken_for_whom() -> None:
    matrix = said(anonrun.plot.confusion_matrix(y_true=[0, 1, 1, 2], preds=np.array([0, 1, 2, 2])))
    assert matrix["counts"] == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    ("arguments", "labels", "counts"),
    [
        pytest.param(
            {"y_true": [0, 1], "probs": [[0.9, 0.1], [0.8, 0.2]], "class_names": ["no", "yes"]},
            ["no", "yes"], [[1, 0], [1, 0]], id="scores",
        ),
        pytest.param(
            {"y_true": ["cat", "dog"], "preds": ["cat", "cat"], "class_names": ["dog", "cat"]},
            ["dog", "cat"], [[0, 1], [0, 1]], id="names, in a given order",
        ),
        pytest.param({"y_true": ["b", "a"], "preds": ["b", "b"]}, ["a", "b"], [[0, 1], [0, 1]], id="names"),
        pytest.param(
            {"y_true": np.array([2.0]), "preds": Tensor([1]), "class_names": ["a", "b", "c"]},
            ["a", "b", "c"], [[0, 0, 0], [0, 0, 0], [0, 1, 0]], id="arrays",
        ),
    ],
)  # fmt: skip
def test_classes_are_numbers_or_names(arguments: Any, labels: list[str], counts: list[list[int]]) -> None:
    matrix = said(anonrun.plot.confusion_matrix(**arguments))
    assert (matrix["labels"], matrix["counts"]) == (labels, counts)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"y_true": [], "preds": []}, id="empty"),
        pytest.param({"y_true": [1, 2], "preds": [1]}, id="of different lengths"),
        pytest.param({"y_true": [1], "preds": [1], "probs": [[1]]}, id="both"),
        pytest.param({"y_true": [0, 5], "preds": [0, 1], "class_names": ["a"]}, id="too few names"),
        pytest.param({"y_true": list(range(300)), "preds": list(range(300))}, id="too many classes"),
        pytest.param({"y_true": [[0, 1]], "preds": [1]}, id="of two dimensions"),
        pytest.param({"y_true": [0], "probs": [["x"]]}, id="scores that are none"),
    ],
)
def test_what_makes_no_confusion_matrix_says_why(arguments: Any) -> None:
    assert refusal(anonrun.plot.confusion_matrix(**arguments))


def test_curves_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score
    from sklearn.metrics import roc_curve as sklearn_roc_curve

    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 1_000)
    scores = (truth * 0.3 + rng.normal(size=1_000)).round(1)  # with ties
    roc = said(anonrun.plot.roc_curve(truth, scores))["lines"][0]
    x, y, _ = sklearn_roc_curve(truth, scores, drop_intermediate=False)
    assert np.allclose(roc["x"], x)
    assert np.allclose(roc["y"], y)
    assert roc["area"] == pytest.approx(roc_auc_score(truth, scores))
    both = np.column_stack([1 - scores, scores]).tolist()
    curves = said(anonrun.plot.pr_curve(truth.tolist(), both, labels=["no", "yes"]))
    assert [line["name"] for line in curves["lines"]] == ["no", "yes"]
    assert curves["lines"][1]["area"] == pytest.approx(average_precision_score(truth, scores))
    assert (curves["x_title"], curves["y_title"]) == ("Recall", "Precision")
    assert len(said(anonrun.plot.pr_curve(truth, both, classes_to_plot=[1]))["lines"]) == 1


def test_long_curves_are_thinned_and_keep_their_shape() -> None:
    rng = np.random.default_rng(4)
    positive = rng.integers(0, 2, 30_000).astype(bool)
    counts = thresholds((positive + rng.normal(size=30_000)).tolist(), positive.tolist())
    for x, y in (roc_points(counts), pr_points(counts)):
        few = thinned(x, y, MAX_CURVE_POINTS)
        assert len(few[0]) <= MAX_CURVE_POINTS
        assert (few[0][0], few[1][0], few[0][-1], few[1][-1]) == (x[0], y[0], x[-1], y[-1])
        assert np.abs(np.interp(x, *few)[200:] - np.asarray(y)[200:]).max() < 0.01
    exact = roc_points(counts)
    assert roc_area(*thinned(*exact, MAX_CURVE_POINTS)) == pytest.approx(roc_area(*exact), abs=1e-3)


@pytest.mark.parametrize(
    ("y_true", "y_probas"),
    [
        pytest.param([], [], id="empty"),
        pytest.param([0, 1], [0.5], id="of different lengths"),
        pytest.param([0, 0], [0.1, 0.2], id="one class"),
        pytest.param([0, 1], [math.nan, 0.5], id="NaN"),
        pytest.param([0, 1], [[0.5], [0.5, 0.5]], id="ragged"),
        pytest.param([0, 1, 2], [0.1, 0.2, 0.3], id="one score of three classes"),
        pytest.param([0, 7], [[0.1, 0.2, 0.7]] * 2, id="class without a column"),
        pytest.param(None, None, id="nothing"),
        pytest.param("ab", 7, id="no lists"),
    ],
)
def test_what_makes_no_curve_says_why(y_true: Any, y_probas: Any) -> None:
    assert refusal(anonrun.plot.roc_curve(y_true, y_probas))


# --- what log takes as it is -----------------------------------------------------------------------------------------


def test_figures_and_pictures_are_taken_as_they_are() -> None:
    figure = plotly.graph_objects.Figure(plotly.graph_objects.Scatter(y=np.array([1.0, math.nan])))
    (taken,) = media_in(figure) or []
    assert said(taken)["data"][0]["type"] == "scatter"
    assert [type(one).__name__ for one in media_in([PIL.Image.new("L", (2, 2)), anonrun.Text("x")]) or []] == [
        "Image",
        "Text",
    ]
    for nothing in (1, "x", None, [], [1, 2], [anonrun.Text("x"), 1], {"a": 1}, object()):
        assert media_in(nothing) is None


def test_a_figure_too_large_says_what_to_do() -> None:
    figure = plotly.graph_objects.Figure(plotly.graph_objects.Scatter(y=np.random.default_rng(5).normal(size=200_000)))
    assert "bytes" in refusal(Figure(figure))


def test_figures_of_matplotlib_are_drawn() -> None:
    class Drawn:
        """As a figure of matplotlib, which the tests do without."""

        dpi = 1000.0

        def get_size_inches(self) -> Any:
            return np.array([6.0, 4.0])

        def savefig(self, sink: Any, *, format: str, dpi: float) -> None:  # noqa: A002  matplotlib's name
            PIL.Image.new("RGBA", (int(6 * dpi), int(4 * dpi))).save(sink, format)

    Drawn.__module__ = "matplotlib.figure"
    (taken,) = media_in(Drawn()) or []
    assert pixels(taken).size == (2048, 1365)
    axes = type("Axes", (), {"__module__": "matplotlib.axes", "figure": Drawn()})()
    assert pixels(anonrun.Image(axes)).size == (2048, 1365)


def test_media_load_what_they_need_and_importing_anonrun_loads_nothing() -> None:
    code = (
        "import sys, anonrun\n"
        "heavy = {'numpy', 'PIL', 'plotly', 'pandas', 'anonrun.client.media'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "anonrun.Histogram([1, 2]).content(); anonrun.Text('x').content(); anonrun.Table(['a'], [[1]]).content()\n"
        "anonrun.plot.roc_curve([0, 1], [0.1, 0.9]).content()\n"
        "anonrun.plot.confusion_matrix([0, 1], [0, 1]).content()\n"
        "assert not {'numpy', 'PIL'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
