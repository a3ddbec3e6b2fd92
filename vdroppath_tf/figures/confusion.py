"""The figure of a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from vdroppath_tf.figures.style import NARROW, SOFT, STYLE, shortened
from vdroppath_tf.figures.units import INK
from vdroppath_tf.names import named

MOST_WIDE, MOST_NARROW = 30, 12  # the largest number of classes that is drawn
_COUNTED = 12  # up to this number of classes the cells show counts
_NAME = 22  # the largest length of a name
_SHADES = mpl.colors.LinearSegmentedColormap.from_list("shares", ["#FFFFFF", "#486581", "#102A43"])


@named
def most_confused(confusion: np.ndarray, most: int) -> list[int]:
    """Returns the classes with the most wrong answers, in the order of their numbers.

    Args:
        confusion: ``(classes, classes)`` array of int, with a row for each true class and a column
            for each answer.
        most: int, the largest number of classes.
    """
    wrong = confusion.sum(0) + confusion.sum(1) - 2 * np.diag(confusion)
    ranked = np.argsort(-wrong, kind="stable")[:most]
    return sorted(int(k) for k in ranked)


@named
def figure_confusion(
    confusion: np.ndarray, labels: Sequence[str], *, narrow: bool = False
) -> Figure:
    """Draws a confusion matrix: a row for each true class, a column for each answer.

    If there are many classes, only the most confused are drawn, and the others share the last
    column.

    Args:
        confusion: ``(classes, classes)`` array of int, with a row for each true class and a column
            for each answer.
        labels: Sequence of str, the names of the classes.
        narrow: bool, whether the figure is for a small screen. Defaults to `False`.

    Returns:
        The figure, to save or to show.

    Raises:
        ValueError: If the shape of the matrix does not fit the classes.

    Example:
    ```python
    figure_confusion(np.array([[9, 1], [2, 8]]), ["left", "right"]).savefig("confusion.png")
    ```
    """
    if confusion.shape != (len(labels),) * 2:
        raise ValueError(
            f"Expected a matrix of {len(labels)} x {len(labels)} classes. Received: shape "
            f"{confusion.shape}"
        )
    shown = most_confused(confusion, MOST_NARROW if narrow else MOST_WIDE)
    names = [shortened(labels[k], _NAME) for k in shown]
    counts, columns = confusion[np.ix_(shown, shown)], list(names)
    if len(shown) < len(labels):
        rest = confusion[shown].sum(1) - counts.sum(1)
        counts, columns = np.hstack([counts, rest[:, None]]), [*names, "other classes"]
    total = confusion[shown].sum(1)[:, None]
    with mpl.rc_context(STYLE):
        room = 0.062 * max(map(len, columns))
        side = NARROW.most if narrow else float(np.clip(0.42 * len(columns) + room + 0.6, 3.6, 8.4))
        figure = Figure(figsize=(side, side * (0.9 if narrow else 0.92)), layout="constrained")
        axes = figure.add_subplot()
        shares = counts / np.maximum(total, 1)
        axes.imshow(shares, cmap=_SHADES, vmin=0, vmax=1, interpolation="nearest")
        _name_axes(axes, names, columns)
        if len(columns) <= _COUNTED:
            _write_counts(axes, counts, shares)
    return figure


def _name_axes(axes: Any, rows: Sequence[str], columns: Sequence[str]) -> None:
    size = 8 if len(columns) <= _COUNTED else 6.5
    upright = max(map(len, columns)) > 5 or len(columns) > _COUNTED
    axes.set_xticks(range(len(columns)), columns, fontsize=size, rotation=90 if upright else 0)
    axes.set_yticks(range(len(rows)), rows, fontsize=size)
    axes.set(xlabel="answer", ylabel="true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(SOFT)


def _write_counts(axes: Any, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            ink = "#FFFFFF" if shares[row, column] > 0.4 else INK
            place = {"ha": "center", "va": "center", "fontsize": 7.5}
            axes.text(column, row, f"{count:,}", color=ink, **place)
