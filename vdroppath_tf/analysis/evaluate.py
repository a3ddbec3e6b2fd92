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
from ..layers.gates import restored_gates, set_strategy, strategy_masks
from ..strategy import FusionStrategy
from .runner import StrategyRunner


@dataclass(frozen=True)
class StrategyScore:
    """One strategy on the validation clips.

    Attributes:
        strategy: what ran.
        top1, top5: share of the clips (top5 is 1 where there are at most 5 classes).
        clips: how many clips were scored; where videos have several views, how many videos.
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
        """The highest top-1; of equals, the first. Chosen on these clips, so it flatters a bit."""
        return max(self.scores, key=lambda score: score.top1)


def evaluate_strategies(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    *,
    train_clips: Iterable[Any] | None = None,
    recalibration_batches: int = 8,
    on_strategy: Callable[[], object] | None = None,
    views: int = 1,
) -> StrategyScores:
    """Scores strategies of a template; each batch is decoded once and nothing is retraced.

    A template's batch-norm statistics are those of random gates and fit no single strategy. Pass
    ``train_clips`` and each strategy gets statistics of its own: the means over a few training
    batches run with its paths. Without them scores can be far too low. The model is left as it was.

    Args:
        model: a trained template.
        strategies: what to score, K of them, or their texts.
        clips: batches (clips, labels) of validation, each used once.
        train_clips: batches of training for batch-norm recalibration.
        recalibration_batches: how many of them.
        on_strategy: called after each strategy and batch, for a progress bar.
        views: clips of each video, adjacent and in one batch; their mean softmax is its score.

    Returns:
        ``StrategyScores``, in the order of ``strategies``.

    Raises:
        ValueError: no strategies, one that does not fit, no clips, a batch that divides a video, or
            a label beyond the classes.
        VideoError: for a video that cannot be read.
    """
    chosen = [FusionStrategy.of(strategy) for strategy in strategies]
    if not chosen:
        raise ValueError("There are no strategies to evaluate.")
    masks = [tf.constant(np.concatenate(strategy_masks(model, strategy))) for strategy in chosen]
    tick = on_strategy or (lambda: None)
    runner = StrategyRunner(model)
    with restored_gates(model), runner.restored(), video_errors():
        set_strategy(model, "mode")  # the classifier's gate has no place in a strategy
        statistics = None
        if train_clips is not None:
            statistics = runner.statistics(masks, train_clips, recalibration_batches, tick)
        hits, count = runner.hits(masks, clips, statistics, tick, views)
    return StrategyScores(
        tuple(
            StrategyScore(strategy, float(top1) / count, float(top5) / count, count)
            for strategy, (top1, top5) in zip(chosen, hits, strict=True)
        ),
        recalibrated=statistics is not None,
    )


def recalibrate(model: keras.Model, train_clips: Iterable[Any], batches: int = 8) -> None:
    """Gives a network batch-norm statistics of its own: means over a few training batches.

    Args:
        model: a derived network (or a template, for the strategy it runs).
        train_clips: batches of training.
        batches: how many of them.

    Raises:
        ValueError: when there are no clips. The network is as it was then.
        VideoError: for a video that cannot be read. The network is as it was then.
    """
    runner = StrategyRunner(model)
    with runner.restored(), video_errors():
        (statistics,) = runner.statistics([None], train_clips, batches, lambda: None)
    runner.assign(statistics)
