"""recalibrate: measures the batch-norm statistics of a network again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from vdroppath_tf.data.clips.pipeline import video_errors
from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.names import named
from vdroppath_tf.scoring.arrays import batches_of
from vdroppath_tf.scoring.batch_statistics import assign, mean_statistics, restored


@named
def recalibrate(model: keras.Model, train_clips: Iterable[Any], batches: int = 8) -> None:
    """Sets a network's batch-norm statistics to the means over a few training batches.

    Args:
        model: ``keras.Model``, a derived network (or a template, for the strategy it runs).
        train_clips: an iterable of training batches ``(clips, labels)``; or arrays ``(X, Y)``, as
            ``fit`` takes them, in batches of 32.
        batches: int, the number of batches to use. Defaults to 8.

    Raises:
        ValueError: If there are no clips. The network is then left unchanged.
        VideoError: If a video cannot be read. The network is then left unchanged.

    Example:
    ```python
    recalibrate(network, train_clips, batches=2)
    ```
    """
    with restored(model), video_errors():
        statistics = mean_statistics(model, batches_of(train_clips), batches)
    assign(batch_norms(model), statistics)
