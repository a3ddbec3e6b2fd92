"""evaluate_strategies, race_strategies: many strategies of one template on the same clips."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
from typing_extensions import TypedDict, Unpack

from vdroppath_tf.data.clips.pipeline import video_errors
from vdroppath_tf.layers.fusion import batch_norms
from vdroppath_tf.layers.gates import restored_gates, set_strategy, strategy_masks
from vdroppath_tf.scoring.batch_statistics import assign, mean_statistics, restored
from vdroppath_tf.scoring.progress import file_in, fingerprint_of
from vdroppath_tf.scoring.race import Race
from vdroppath_tf.scoring.scores import StrategyScore, StrategyScores
from vdroppath_tf.scoring.tree import Scoring
from vdroppath_tf.scoring.walk import StrategyTree
from vdroppath_tf.spaces.strategy import FusionStrategy

__all__ = [
    "EvaluationOptions",
    "StrategyScore",
    "StrategyScores",
    "evaluate_strategies",
    "race_strategies",
    "recalibrate",
]


class EvaluationOptions(TypedDict, total=False):
    """What ``evaluate_strategies`` and ``race_strategies`` both take.

    ``train_clips``: batches of training for batch-norm recalibration.
    ``recalibration_batches``: how many of them; default 8.
    ``memory_bytes``: room for activations while scoring; batches are cut into pieces that fit.
        Default 1 GiB. Recalibration holds one whole training batch, though never as much as a
        training step does.
    ``resume``: a folder for what has been done after each batch. Called again with the same model,
        strategies and clips, the evaluation goes on from there and ends the same.
    ``on_strategy``: called after each strategy and batch, for a progress bar.
    ``views``: clips of each video, adjacent and in one batch; their mean softmax is its score.
        Default 1. Clips counted are videos then.
    """

    train_clips: Iterable[Any] | None
    recalibration_batches: int
    memory_bytes: int
    resume: str | os.PathLike[str] | None
    on_strategy: Callable[[], object] | None
    views: int


def evaluate_strategies(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    **options: Unpack[EvaluationOptions],
) -> StrategyScores:
    """Scores strategies of a template; each batch is decoded once and nothing is retraced.

    Strategies that agree on the first layers compute these once, S+ST is one convolution where that
    is exact, and a path that is off is not computed.

    A template's batch-norm statistics are those of random gates and fit no single strategy. Pass
    ``train_clips`` and each strategy gets statistics of its own: the means over a few training
    batches run with its paths. Without them scores can be far too low. The model is left as it was.

    Args:
        model: a trained template.
        strategies: what to score, K of them, or their texts.
        clips: batches (clips, labels) of validation, each used once.
        **options: see ``EvaluationOptions``.

    Returns:
        ``StrategyScores``, in the order of ``strategies``.

    Raises:
        ValueError: no strategies, one that does not fit, no clips, a label beyond the classes, a
            batch that divides a video, too little memory for one video, or a folder of another
            evaluation.
        VideoError: for a video that cannot be read.
    """
    return _evaluate(model, strategies, clips, None, options)


def race_strategies(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    *,
    level: float = 0.05,
    margin: float = 0.0,
    **options: Unpack[EvaluationOptions],
) -> StrategyScores:
    """``evaluate_strategies``, but strategies that can no longer win are dropped between batches.

    With probability ``1 - level`` at least, the strategy that is best over all clips of this kind
    is not dropped, or with a margin only for one nearer to it than that (see ``Race``). That holds
    for clips in random order: a list sorted by class must be shuffled first. It ends when one
    strategy is left.

    Args:
        model, strategies, clips: as for ``evaluate_strategies``.
        level: probability of losing the best.
        margin: difference in accuracy that is not worth clips, such as 0.01: strategies of about
            the same accuracy are dropped too.
        **options: see ``EvaluationOptions``.

    Returns:
        ``StrategyScores``; ``score.clips`` is what each strategy has seen, and ``best`` is the best
        of the ``finalists``, which have seen every clip there was.

    Raises:
        ValueError: as ``evaluate_strategies``; and for clips that come class by class.
        VideoError: for a video that cannot be read.
    """
    return _evaluate(model, strategies, clips, (level, margin), options)


def _evaluate(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    race_at: tuple[float, float] | None,
    options: EvaluationOptions,
) -> StrategyScores:
    chosen = [FusionStrategy.of(strategy) for strategy in strategies]
    if not chosen:
        raise ValueError("There are no strategies to evaluate.")
    tree = StrategyTree(model, [strategy_masks(model, strategy) for strategy in chosen])
    race = None if race_at is None else Race(len(chosen), *race_at)
    train_clips, folder = options.get("train_clips"), options.get("resume")
    batches = options.get("recalibration_batches", 8)
    views = options.get("views", 1)
    texts = [*map(str, chosen), f"{race_at} {batches} {train_clips is not None} {views}"]
    mark = "" if folder is None else fingerprint_of(model, *texts)
    tick = options.get("on_strategy") or (lambda: None)
    scoring = Scoring(tree, model.output_shape[-1], tick, views)
    with restored_gates(model), video_errors():
        set_strategy(model, "mode")  # the classifier's gate has no place in a strategy
        if train_clips is not None:
            scoring.measure(train_clips, batches, file_in(folder, "statistics.npz"), mark)
        room = options.get("memory_bytes", 2**30)
        right, seen, labels = scoring.score(clips, race, room, file_in(folder, "right.npz"), mark)
    return StrategyScores.of(chosen, right, seen, labels, train_clips is not None)


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
    with restored(model), video_errors():
        statistics = mean_statistics(model, train_clips, batches)
    assign(batch_norms(model), statistics)
