"""Scores videos with several classes each (multi-label): average precision, label checks."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.names import named


def check_several(labels: np.ndarray, classes: int) -> None:
    """Raises a ValueError unless labels are ``(batch, classes)`` of 0 and 1."""
    if labels.ndim != 2 or labels.shape[1] != classes or not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"The network has several classes per clip (multi-label). Labels must be (batch, "
            f"{classes}) of 0 and 1. Received: shape {labels.shape}, dtype {labels.dtype}"
        )


@named
def average_precision(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Returns the average precision of each class, ``(classes,)``; NaN if no video has it.

    Videos are ranked by falling probability. The average precision is the mean, over the videos of
    the class, of the precision among the videos down to that rank. Videos of equal probability
    share a rank, so their order does not matter.

    Args:
        labels: ``(n, classes)`` of 0 and 1.
        probabilities: ``(n, classes)``, or any scores that rank the videos.
    """
    found = np.full(labels.shape[1], np.nan)
    for k in range(labels.shape[1]):
        positive = labels[:, k] > 0
        if not positive.any():
            continue
        order = np.argsort(-probabilities[:, k], kind="stable")
        ranked, hits = probabilities[order, k], np.cumsum(positive[order])
        last = np.append(ranked[1:] != ranked[:-1], True)  # the last of each group of ties
        ends, right = np.flatnonzero(last) + 1, hits[last]
        found[k] = (np.diff(right, prepend=0) * right / ends).sum() / positive.sum()
    return found


def mean_precisions(labels: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Returns the mean average precision over classes of each strategy, ``(K,)``.

    Args:
        labels: ``(n, classes)`` of 0 and 1.
        answers: ``(K, n, classes)``, any scores that rank the videos.
        seen: ``(K,)``, the number of videos, counted from the first, that each strategy has seen.
    """
    each = [average_precision(labels[:n], row[:n]) for row, n in zip(answers, seen, strict=True)]
    return np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in each])
