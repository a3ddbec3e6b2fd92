"""Converts clips in any form that Keras' ``fit`` takes to the batches that scoring reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.names import named

BATCH = 32  # the batch size into which Keras divides arrays by default
_ARRAYS = (np.ndarray, tf.Tensor)


@named
def batches_of(clips: Any) -> Iterable[Any]:
    """Returns batches ``(clips, labels)`` of anything that ``keras.Model.fit`` takes.

    Args:
        clips: an iterable of batches, such as a ``tf.data.Dataset``, which is returned unchanged;
            arrays ``(X, Y)`` of all clips and labels, which are divided into batches of 32 in their
            order; or a ``keras.utils.PyDataset``, whose batches are made when they are read.

    Raises:
        ValueError: If the numbers of clips and labels differ.
    """
    if isinstance(clips, keras.utils.PyDataset):
        return _Batches(clips)
    if not _are_arrays(clips):
        return clips
    x, y = clips
    if len(x) != len(y):
        raise ValueError(
            f"There must be a label for each clip. Received: arrays of {len(x)} clips and "
            f"{len(y)} labels"
        )
    return [(x[k : k + BATCH], y[k : k + BATCH]) for k in range(0, len(x), BATCH)]


class _Batches:
    """The batches of a ``PyDataset`` as an iterable that can be read any number of times."""

    def __init__(self, data: keras.utils.PyDataset) -> None:
        self.data = data

    def __len__(self) -> int:
        return self.data.num_batches or len(self.data)

    def __iter__(self) -> Iterator[Any]:
        for number in range(len(self)):
            yield self.data[number][:2]


def _are_arrays(clips: Any) -> bool:
    """Whether ``clips`` is a pair of arrays rather than a pair of batches."""
    pair = isinstance(clips, (tuple, list)) and len(clips) == 2
    return pair and isinstance(clips[0], _ARRAYS) and isinstance(clips[1], (*_ARRAYS, list))
