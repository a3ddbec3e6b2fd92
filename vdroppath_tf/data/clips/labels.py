"""The labels of batches: class numbers, or for multi-label videos 0 and 1 for each class."""

from __future__ import annotations

import numpy as np

from vdroppath_tf.data.manifest import Manifest, VideoEntry


def empty_labels(manifest: Manifest, rows: int) -> np.ndarray:
    """Returns an array for the labels of `rows` clips, to be filled by `set_label`.

    It is int64 `(rows,)`, or float32 zeros `(rows, classes)` for a `multi_label` manifest.
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
