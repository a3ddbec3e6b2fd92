"""Logs a space to TensorBoard while it is learned: gates, expected MACs, marginals."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg

from vdroppath_tf.cost import UnitCosts, unit_costs
from vdroppath_tf.figures.marginals import figure_marginals
from vdroppath_tf.layers.gates import gates_of, named_drops
from vdroppath_tf.names import named
from vdroppath_tf.spaces.space import ProbabilitySpace


@named
class SpaceToTensorBoard(keras.callbacks.Callback):
    """Logs the space of a template after every epoch, with ``fit`` or (automatically) ``train``.

    * ``epoch/NAME``: Keras' logs: the loss and its parts, ``task_loss`` and ``kl`` (of
      the gates), metrics, ``val_``.
    * ``drop/LAYER/S``, ...: p of each gate, by its name in ``layers.gates.named_drops``.
    * ``expected_macs``: the mean multiply-adds of the networks drawn from the space.
    * ``marginals``: the figure of ``figures.marginals.figure_marginals`` (Eq. 7, the paper's
      Fig. 4), if the gates have changed since the last one.

    * ``speed/NAME``, in ``train``: clips/s, the share of waiting for clips, memory, hours left.

    For a model without gates, gates and space are not logged.

    Args:
        folder: The folder of the event files: ``tensorboard --logdir FOLDER``.
        clip_shape: Frames, height and width of a clip, for the expected MACs. Defaults to those
            with which the model was built.
        picture_every: The number of epochs from one figure to the next; 0 draws none. Defaults to
            1.
        first_epoch: The number of epochs of the whole run before this ``fit``. Defaults to 0.

    Raises:
        ValueError: If a number is below 0; in ``fit``, if the clip shape of a template is unknown.

    Example:
    ```python
    model = build_template(recipe, videos)
    model.fit(*train_clips, callbacks=[SpaceToTensorBoard("logs", clip_shape=(4, 16, 16))])
    ```
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        clip_shape: Sequence[int] | None = None,
        picture_every: int = 1,
        first_epoch: int = 0,
    ) -> None:
        super().__init__()
        self.done = 0  # the epochs of this phase that an earlier process logged
        self.speeds: Callable[[], Mapping[str, float]] | None = None  # of the current epoch
        if picture_every < 0 or first_epoch < 0:
            raise ValueError(
                "picture_every and first_epoch must be 0 or more. "
                f"Received: {picture_every}, {first_epoch}"
            )
        self.folder, self.clip_shape = folder, clip_shape
        self.picture_every, self.first_epoch = picture_every, first_epoch
        self._costs: UnitCosts | None = None
        self._drawn: dict[str, float] = {}
        self._writer: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        if gates_of(self.model):
            self._costs = unit_costs(self.model, self._shape())
            done = self.first_epoch + self.done
            if self.picture_every and done >= self.picture_every:  # it was drawn before the stop
                self._drawn = named_drops(self.model)
        self._writer = tf.summary.create_file_writer(str(self.folder))

    def _shape(self) -> tuple[int, int, int]:
        shape = tuple(self.clip_shape or self.model.input_shape[1:4])
        if None in shape:
            raise ValueError(
                f"{self.model.name!r} takes clips of any size, so its multiply-adds are unknown. "
                "Pass clip_shape=(frames, height, width) to SpaceToTensorBoard, or to the template."
            )
        return shape

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        step = self.first_epoch + epoch + 1
        with self._writer.as_default(step=step):
            for name, value in (logs or {}).items():
                tf.summary.scalar(f"epoch/{name}", value)
            for name, value in ({} if self.speeds is None else self.speeds()).items():
                tf.summary.scalar(f"speed/{name.replace('/', '_per_')}", value)
            if self._costs is not None:
                self._space(self._costs, step)
        self._writer.flush()  # so that a copy after the epoch contains all of it

    def _space(self, costs: UnitCosts, step: int) -> None:
        drops, space = named_drops(self.model), ProbabilitySpace.from_model(self.model)
        for name, p in drops.items():
            tf.summary.scalar(f"drop/{name}", p)
        tf.summary.scalar("expected_macs", costs.expected_macs(space))
        due = self.picture_every and step % self.picture_every == 0
        if due and drops != self._drawn:  # gates do not change in a warm-up: one figure is enough
            tf.summary.image("marginals", picture_of(space)[None])
            self._drawn = drops

    def on_train_end(self, logs: Any = None) -> None:
        self._writer.close()


def picture_of(space: ProbabilitySpace) -> np.ndarray:
    """Draws the marginals of a space as pixels, uint8 ``(height, width, 3)``; without a display."""
    canvas = FigureCanvasAgg(figure_marginals(space))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
