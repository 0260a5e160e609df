"""Charts for `run.log`, by wandb's names: `run.log({"roc": anonrun.plot.roc_curve(y_true, y_probas)})`.

All take lists, arrays or tensors. None raises for what it is given: `log` says what does not fit together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anonrun.client.media.charts import ConfusionMatrix, CurveChart, pr_of, roc_of

if TYPE_CHECKING:
    from anonrun.client.media.content import Media

__all__ = ["confusion_matrix", "pr_curve", "roc_curve"]


def confusion_matrix(
    y_true: object = None,
    preds: object = None,
    probs: object = None,
    class_names: object = None,
    title: object = None,
    *,
    split_table: bool = False,  # noqa: ARG001  wandb's; there is no table beside the chart here
) -> Media:
    """Return a table of who was taken for whom, to be logged.

    Args:
        y_true: the class of each example: a number from 0 on, or a name.
        preds: what each was taken for.
        probs: or, instead of `preds`, a row for each with one score a class; the highest counts.
        class_names: names of the classes, by number; at most 200.
        title: said below the chart.
        split_table: accepted as wandb has it; it changes nothing here.

    Example:
        >>> confusion_matrix(y_true=[0, 1, 1], preds=[0, 1, 0], class_names=["cat", "dog"])
        <anonrun confusion matrix of 2 classes>
    """
    return ConfusionMatrix(y_true, preds, probs, class_names, title)


def pr_curve(  # noqa: PLR0917  the order is wandb's
    y_true: object = None,
    y_probas: object = None,
    labels: object = None,
    classes_to_plot: object = None,
    interp_size: int = 21,  # noqa: ARG001  wandb's; the curve is exact here
    title: object = None,
    *,
    split_table: bool = False,  # noqa: ARG001  wandb's; there is no table beside the chart here
) -> Media:
    """Return precision over recall, a curve for each class with its average precision, to be logged.

    The curves are exact; of more than 2,000 points those that show its shape are kept.

    Args:
        y_true: the class of each example: a number from 0 on, or a name.
        y_probas: a row for each with one score a class; or, of two classes, the score of the second.
        labels: names of the classes, by number.
        classes_to_plot: only these; None for all.
        interp_size: accepted as wandb has it; nothing is interpolated here.
        title: said below the chart.
        split_table: accepted as wandb has it; it changes nothing here.

    Example:
        >>> pr_curve(y_true=[0, 1, 1], y_probas=[0.2, 0.9, 0.7], labels=["no", "yes"])
        <anonrun curves of precision over recall: yes 1.000>
    """
    return CurveChart(lambda: pr_of(y_true, y_probas, labels, classes_to_plot), title)


def roc_curve(
    y_true: object = None,
    y_probas: object = None,
    labels: object = None,
    classes_to_plot: object = None,
    title: object = None,
    *,
    split_table: bool = False,  # noqa: ARG001  wandb's; there is no table beside the chart here
) -> Media:
    """Return true over false positives, a curve for each class with the area below it, to be logged.

    Args:
        y_true: the class of each example: a number from 0 on, or a name.
        y_probas: a row for each with one score a class; or, of two classes, the score of the second.
        labels: names of the classes, by number.
        classes_to_plot: only these; None for all.
        title: said below the chart.
        split_table: accepted as wandb has it; it changes nothing here.

    Example:
        >>> roc_curve(y_true=[0, 1, 0, 1], y_probas=[0.2, 0.9, 0.8, 0.7])
        <anonrun curves of true positive rate over false positive rate: 1 0.750>
    """
    return CurveChart(lambda: roc_of(y_true, y_probas, labels, classes_to_plot), title)
