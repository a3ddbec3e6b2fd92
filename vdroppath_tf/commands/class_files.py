"""Writes the CSV files of ``vdroppath test``: accuracies by class, confusion matrix."""

from __future__ import annotations

from absl import logging

from vdroppath_tf import scoring
from vdroppath_tf.files import csv_text, write_text
from vdroppath_tf.names import named
from vdroppath_tf.scoring.class_heads import CLASS_HEADS

_CORNER = "true class / answer"
_HEADS = [*CLASS_HEADS, "average_precision"]
CONFUSION_MARK, CLASS_MARK = _CORNER, ",".join(_HEADS)
"""The beginnings of these files, which mark them as replaceable."""


@named
def write(scores: scoring.VideoScores, *, confusion: str | None, per_class: str | None) -> None:
    """Writes the requested files, each atomically.

    Args:
        scores: The scores of the test.
        confusion: The file for the confusion matrix, or None.
        per_class: The file with a line for each class, or None.

    Raises:
        ValueError: If videos have several classes, for which there is no confusion matrix.
        OSError: If a file cannot be written.
    """
    for path, text in ((confusion, confusion_csv), (per_class, per_class_csv)):
        if path:
            write_text(path, text(scores))
            logging.info("Wrote %s", path)


@named
def confusion_csv(scores: scoring.VideoScores) -> str:
    """Formats the confusion matrix: lines are true classes, columns answers."""
    found = scores.class_answers()
    if found is None:
        raise ValueError("There is no confusion matrix for videos with several classes.")
    pairs = zip(found.labels, found.confusion.tolist(), strict=True)
    return csv_text([_CORNER, *found.labels], [[name, *row] for name, row in pairs])


@named
def per_class_csv(scores: scoring.VideoScores) -> str:
    """Formats a line for each class: videos, correct, top-1 with interval, wrong answers.

    If videos have several classes, the average precision replaces the last ones.
    """
    found = scores.class_answers()
    if found is not None:
        return csv_text(_HEADS, [[*line, None] for line in found.class_lines()])
    empty = [None] * (len(CLASS_HEADS) - 2)
    lines = [[c["name"], c["videos"], *empty, c["average_precision"]] for c in scores.per_class()]
    return csv_text(_HEADS, lines)
