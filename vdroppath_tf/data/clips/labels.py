"""The labels of batches: class numbers or, where a video has several classes, 0 and 1 for each."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.data.manifest import Manifest, VideoEntry


def empty_labels(manifest: Manifest, rows: int) -> np.ndarray:
    """Labels of so many rows, to be filled by `set_label`.

    int64 `(rows,)`, or float32 `(rows, classes)` of 0 in a manifest of `multi_label`.
    """
    if manifest.multi_label:
        return np.zeros((rows, manifest.num_classes), np.float32)
    return np.zeros(rows, np.int64)


def set_label(labels: np.ndarray, row: int, entry: VideoEntry) -> None:
    """Writes the classes of a video to a row."""
    if labels.ndim == 1:
        labels[row] = entry.label
    else:
        labels[row, list(entry.labels)] = 1.0
