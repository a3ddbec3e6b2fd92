"""CSV files of classes that ``vdroppath test`` writes: accuracies, and the confusion matrix."""

from __future__ import annotations

from absl import logging

from vdroppath_tf import scoring
from vdroppath_tf.files import csv_text, write_text
from vdroppath_tf.names import named
from vdroppath_tf.scoring.class_heads import CLASS_HEADS

_CORNER = "true class / answer"
_HEADS = [*CLASS_HEADS, "average_precision"]
CONFUSION_MARK, CLASS_MARK = _CORNER, ",".join(_HEADS)
"""What the files begin with: marks of what may be replaced."""


@named
def write(scores: scoring.VideoScores, *, confusion: str | None, per_class: str | None) -> None:
    """Writes what was asked for, each file whole or not at all.

    Args:
        scores: What a test found.
        confusion: The file for the confusion matrix, or None.
        per_class: The file for a line a class, or None.

    Raises:
        ValueError: If there is no confusion matrix, as videos have several classes each.
        OSError: If a file cannot be written.
    """
    for path, text in ((confusion, confusion_csv), (per_class, per_class_csv)):
        if path:
            write_text(path, text(scores))
            logging.info("Wrote %s", path)


@named
def confusion_csv(scores: scoring.VideoScores) -> str:
    """The confusion matrix: a line a true class, a column an answer, numbers of videos."""
    found = scores.class_answers()
    if found is None:
        raise ValueError("Videos of several classes each have no confusion matrix.")
    pairs = zip(found.labels, found.confusion.tolist(), strict=True)
    return csv_text([_CORNER, *found.labels], [[name, *row] for name, row in pairs])


@named
def per_class_csv(scores: scoring.VideoScores) -> str:
    """A line a class: videos, correct ones, top-1 and its 95 % interval, what it is taken for.

    Where videos have several classes, the average precision in place of all that.
    """
    found = scores.class_answers()
    if found is not None:
        return csv_text(_HEADS, [[*line, None] for line in found.class_lines()])
    empty = [None] * (len(CLASS_HEADS) - 2)
    lines = [[c["name"], c["videos"], *empty, c["average_precision"]] for c in scores.per_class()]
    return csv_text(_HEADS, lines)
