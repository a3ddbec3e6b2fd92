"""Scores of videos of several classes each: average precision, and what is checked of labels."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.names import named


def check_several(labels: np.ndarray, classes: int) -> None:
    """ValueError unless labels are ``(batch, classes)`` of 0 and 1."""
    if labels.ndim != 2 or labels.shape[1] != classes or not np.isin(labels, (0, 1)).all():
        raise ValueError(
            f"The network is one of several classes a clip. Labels must be (batch, {classes}) of 0 "
            f"and 1. Received: shape {labels.shape}, dtype {labels.dtype}"
        )


@named
def average_precision(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The average precision of each class, ``(classes,)``; NaN where no video has it.

    The sum over videos of the class of the precision down to them, by falling probability, divided
    by their number; videos of equal probability count at once, whatever their order.

    Args:
        labels: ``(n, classes)`` of 0 and 1.
        probabilities: ``(n, classes)``, any numbers that rank.
    """
    found = np.full(labels.shape[1], np.nan)
    for k in range(labels.shape[1]):
        positive = labels[:, k] > 0
        if not positive.any():
            continue
        order = np.argsort(-probabilities[:, k], kind="stable")
        ranked, hits = probabilities[order, k], np.cumsum(positive[order])
        last = np.append(ranked[1:] != ranked[:-1], True)  # of those of equal probability
        ends, right = np.flatnonzero(last) + 1, hits[last]
        found[k] = (np.diff(right, prepend=0) * right / ends).sum() / positive.sum()
    return found


def mean_precisions(labels: np.ndarray, answers: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The mean over classes of ``average_precision`` of each strategy, ``(K,)``.

    Args:
        labels: ``(n, classes)`` of 0 and 1.
        answers: ``(K, n, classes)``, any numbers that rank.
        seen: ``(K,)``, how many of the first videos each strategy has seen.
    """
    each = [average_precision(labels[:n], row[:n]) for row, n in zip(answers, seen, strict=True)]
    return np.array([np.nanmean(row) if np.isfinite(row).any() else 0.0 for row in each])
