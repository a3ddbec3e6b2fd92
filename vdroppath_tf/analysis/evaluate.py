"""evaluate_strategies: many strategies of one trained template, scored on the same clips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..data.pipeline import video_errors
from ..layers.gates import fusion_layers, restored_gates, strategy_masks
from ..strategy import FusionStrategy


@dataclass(frozen=True)
class StrategyScore:
    """One strategy on the validation clips.

    Attributes:
        strategy: what ran.
        top1, top5: share of the clips (top5 is 1 where there are at most 5 classes).
        clips: how many clips were scored.
    """

    strategy: FusionStrategy
    top1: float
    top5: float
    clips: int

    @property
    def standard_error(self) -> float:
        """Of top-1: ``sqrt(a (1 - a) / clips)``."""
        return math.sqrt(self.top1 * (1.0 - self.top1) / self.clips)


@dataclass(frozen=True)
class StrategyScores:
    """Scores in the order the strategies were given."""

    scores: tuple[StrategyScore, ...]
    recalibrated: bool

    def __iter__(self) -> Any:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, k: int) -> StrategyScore:
        return self.scores[k]

    @property
    def best(self) -> StrategyScore:
        """The highest top-1; of equals, the first. Chosen on these very clips, so it flatters a little."""
        return max(self.scores, key=lambda score: score.top1)


def evaluate_strategies(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    *,
    train_clips: Iterable[Any] | None = None,
    recalibration_batches: int = 8,
    on_strategy: Callable[[], None] | None = None,
) -> StrategyScores:
    """Scores strategies of a template; each batch is decoded once and nothing is retraced.

    A template's batch-norm statistics are those of random gates and fit no single strategy. Pass ``train_clips``
    and each strategy gets statistics of its own: the means over a few training batches run with its
    paths. Without them scores can be far too low. The model is left as it was.

    Args:
        model: a trained template.
        strategies: what to score, K of them.
        clips: batches (clips, labels) of validation, each used once.
        train_clips: batches of training for batch-norm recalibration.
        recalibration_batches: how many of them.
        on_strategy: called after each strategy and batch, for a progress bar.

    Returns:
        ``StrategyScores``, in the order of ``strategies``.

    Raises:
        ValueError: no strategies, one that does not fit, or no clips.
        VideoError: for a video that cannot be read.
    """
    chosen = [FusionStrategy.parse(s) if isinstance(s, str) else s for s in strategies]
    if not chosen:
        raise ValueError("There are no strategies to evaluate.")
    masks = [tf.constant(strategy_masks(model, strategy)) for strategy in chosen]
    tick = on_strategy or (lambda: None)
    runner = _Runner(model)
    with restored_gates(model), runner.restored(), video_errors():
        statistics = None
        if train_clips is not None:
            statistics = runner.statistics(masks, train_clips, recalibration_batches, tick)
        hits, count = runner.hits(masks, clips, statistics, tick)
    return StrategyScores(
        tuple(
            StrategyScore(strategy, float(top1) / count, float(top5) / count, count)
            for strategy, (top1, top5) in zip(chosen, hits, strict=True)
        ),
        recalibrated=statistics is not None,
    )


def recalibrate(model: keras.Model, train_clips: Iterable[Any], batches: int = 8) -> None:
    """Gives a derived network batch-norm statistics of its own: means over a few training batches."""
    runner = _Runner(model)
    with video_errors():
        (statistics,) = runner.statistics([None], train_clips, batches, lambda: None)
    runner.assign(statistics)


class _Runner:
    """A model's masks and batch-norm statistics as one step sees them: data, not attributes."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.gates = [layer.drop_path for layer in fusion_layers(model)] if model.gates else []
        norms = [la for la in model.layers if isinstance(la, keras.layers.BatchNormalization)]
        self.norms = norms
        self.moving = [v for la in norms for v in (la.moving_mean, la.moving_variance)]
        self._score = tf.function(self._score_batch, reduce_retracing=True)
        self._measure = tf.function(self._measure_batch, reduce_retracing=True)

    def restored(self) -> Any:
        """Context that gives the moving statistics back on leaving."""
        import contextlib

        @contextlib.contextmanager
        def context() -> Any:
            before = self.read()
            try:
                yield
            finally:
                self.assign(before)

        return context()

    def read(self) -> tf.Tensor:
        return tf.concat([tf.convert_to_tensor(v) for v in self.moving], 0)

    def assign(self, statistics: tf.Tensor) -> None:
        parts = tf.split(statistics, [v.shape[0] for v in self.moving])
        for variable, value in zip(self.moving, parts, strict=True):
            variable.assign(value)

    def _set_masks(self, masks: tf.Tensor | None) -> None:
        for i, gate in enumerate(self.gates):
            if masks is not None:
                gate.mask.assign(masks[i])

    def _score_batch(self, clips: Any, labels: Any, masks: Any, statistics: Any) -> tf.Tensor:
        self._set_masks(masks)
        if statistics is not None:
            self.assign(statistics)
        logits = self.model(clips, training=False)
        top = [tf.math.in_top_k(labels, logits, k) for k in (1, 5)]
        return tf.stack([tf.reduce_sum(tf.cast(hit, tf.int32)) for hit in top])

    def _measure_batch(self, clips: Any, masks: Any) -> tf.Tensor:
        self._set_masks(masks)
        self.model(clips, training=True)
        return self.read()

    def hits(
        self, masks: Sequence[Any], clips: Iterable[Any], statistics: Any, tick: Callable[[], None]
    ) -> tuple[np.ndarray, int]:
        """``(K, 2)`` clips right at top 1 and 5, and the number of clips."""
        hits, count = np.zeros((len(masks), 2), "int64"), 0
        for batch, labels in clips:
            count += int(labels.shape[0])
            for k, mask in enumerate(masks):
                own = None if statistics is None else statistics[k]
                hits[k] += self._score(batch, labels, mask, own).numpy()
                tick()
        if not count:
            raise ValueError("There are no clips to evaluate on.")
        return hits, count

    def statistics(
        self, masks: Sequence[Any], clips: Iterable[Any], batches: int, tick: Callable[[], None]
    ) -> list[tf.Tensor]:
        """Per strategy, the mean of the batch statistics over the first batches."""
        before = [(norm, norm.momentum) for norm in self.norms]
        frozen = [(gate, gate.trainable) for gate in self.gates]
        sums: list[Any] = [0.0] * len(masks)
        count = 0
        try:
            for norm in self.norms:
                norm.momentum = 0.0  # the moving statistics become those of the batch
            for gate in self.gates:
                gate.trainable = False  # hard masks, though BN runs as in training
            for batch, _ in clips:
                if count == batches:
                    break
                count += 1
                for k, mask in enumerate(masks):
                    sums[k] += self._measure(batch, mask)
                    tick()
        finally:
            for norm, momentum in before:
                norm.momentum = momentum
            for gate, trainable in frozen:
                gate.trainable = trainable
        if not count:
            raise ValueError("There are no training clips to recalibrate batch norm on.")
        return [total / count for total in sums]
