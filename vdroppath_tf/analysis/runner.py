"""A model whose masks and batch-norm statistics are data of a step: one trace, many strategies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..layers.fusion import batch_norms
from ..layers.gates import gates_of
from ..models.fusion_model import check_clips


class StrategyRunner:
    """Runs a template with one strategy after another, or a derived network as it is.

    Args:
        model: a template or a derived network.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model, self.gates = model, list(getattr(model, "gates", []))
        self.norms = batch_norms(model)
        self.moving = [v for la in self.norms for v in (la.moving_mean, la.moving_variance)]
        options = {"reduce_retracing": True, "autograph": False}
        self._score = tf.function(self._score_batch, **options)
        self._measure = tf.function(self._measure_batch, **options)

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Gives moving statistics, and the seeds of dropout, back on leaving."""
        seeds = [v for v in self.model.variables if "seed" in v.path]
        before = self._read(), [tf.convert_to_tensor(seed) for seed in seeds]
        try:
            yield
        finally:
            self.assign(before[0])
            for seed, value in zip(seeds, before[1], strict=True):
                seed.assign(value)

    def assign(self, statistics: tf.Tensor) -> None:
        """Moving means and variances from one vector, as ``statistics`` gives it."""
        parts = tf.split(statistics, [v.shape[0] for v in self.moving])
        for variable, value in zip(self.moving, parts, strict=True):
            variable.assign(value)

    def hits(
        self,
        masks: Sequence[Any],
        clips: Iterable[Any],
        statistics: Any,
        tick: Callable[[], object],
        views: int = 1,
    ) -> tuple[np.ndarray, int]:
        """``(K, 2)`` videos right at top 1 and 5, and their number; ``views`` clips a video."""
        hits, count = np.zeros((len(masks), 2), "int64"), 0
        for batch, labels in clips:
            check_clips(batch, self.model.input_shape[-1])
            self._check(np.asarray(labels))
            if len(labels) % views:
                raise ValueError(f"{len(labels)} clips in a batch are no videos of {views} views.")
            count += len(labels) // views
            for k, mask in enumerate(masks):
                own = None if statistics is None else statistics[k]
                hits[k] += self._score(batch, labels, mask, own, views).numpy()
                tick()
        if not count:
            raise ValueError("There are no clips to evaluate on.")
        return hits, count

    def statistics(
        self, masks: Sequence[Any], clips: Iterable[Any], batches: int, tick: Callable[[], object]
    ) -> list[tf.Tensor]:
        """For each mask (None: as the model stands), batch statistics, the mean of some batches."""
        if batches < 1:
            raise ValueError(f"Batch norm is recalibrated on 1 batch or more. Received: {batches}")
        sums: list[Any] = [0.0] * len(masks)
        count = 0
        with self._measuring():
            for batch, _ in clips:
                check_clips(batch, self.model.input_shape[-1])
                count += 1
                for k, mask in enumerate(masks):
                    sums[k] += self._measure(batch, mask)
                    tick()
                if count == batches:
                    break
        if not count:
            raise ValueError("There are no training clips to recalibrate batch norm on.")
        return [total / count for total in sums]

    @contextmanager
    def _measuring(self) -> Iterator[None]:
        momenta = [(norm, norm.momentum) for norm in self.norms]
        frozen = [(gate, gate.trainable) for gate in gates_of(self.model)]
        try:
            for norm in self.norms:
                norm.momentum = 0.0  # the moving statistics become those of the batch
            for gate, _ in frozen:
                gate.trainable = False  # hard masks, though BN runs as in training
            yield
        finally:
            for norm, momentum in momenta:
                norm.momentum = momentum
            for gate, trainable in frozen:
                gate.trainable = trainable

    def _check(self, labels: np.ndarray) -> None:
        classes = self.model.output_shape[-1]
        if labels.ndim != 1 or not ((labels >= 0) & (labels < classes)).all():
            raise ValueError(
                f"Labels must be (batch,) of 0 to {classes - 1}, the classes of the model. "
                f"Received: {labels!r}"
            )

    def _read(self) -> tf.Tensor:
        return tf.concat([tf.convert_to_tensor(v) for v in self.moving], 0)

    def _set_masks(self, masks: tf.Tensor | None) -> None:
        if masks is not None:
            parts = tf.split(masks, [gate.paths for gate in self.gates])
            for gate, mask in zip(self.gates, parts, strict=True):
                gate.mask.assign(mask)

    def _score_batch(
        self, clips: Any, labels: Any, masks: Any, statistics: Any, views: int
    ) -> tf.Tensor:
        self._set_masks(masks)
        if statistics is not None:
            self.assign(statistics)
        logits = tf.cast(self.model(clips, training=False), tf.float32)
        if views > 1:  # a video's score is the mean softmax over its views, which are adjacent
            softmax = tf.nn.softmax(logits)
            logits = tf.reduce_mean(tf.reshape(softmax, (-1, views, softmax.shape[-1])), 1)
            labels = labels[::views]
        top = [tf.math.in_top_k(labels, logits, k) for k in (1, 5)]
        return tf.stack([tf.reduce_sum(tf.cast(hit, tf.int32)) for hit in top])

    def _measure_batch(self, clips: Any, masks: Any) -> tf.Tensor:
        self._set_masks(masks)
        self.model(clips, training=True)
        return self._read()
