"""evaluate_strategies and race_strategies: score many strategies of a template on clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from vdroppath_tf.data.clips.pipeline import video_errors
from vdroppath_tf.layers.gates import restored_gates, set_strategy, strategy_masks
from vdroppath_tf.names import named
from vdroppath_tf.scoring.adaptation import adapted_scores
from vdroppath_tf.scoring.arrays import batches_of
from vdroppath_tf.scoring.bar import with_bar
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.progress import file_in, fingerprint_of
from vdroppath_tf.scoring.race import Race
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.scoring.tree import Scoring
from vdroppath_tf.scoring.walk import StrategyTree
from vdroppath_tf.spaces.strategy import FusionStrategy

_DEFAULTS = EvaluationOptions()


@named
def evaluate_strategies(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    *,
    train_clips: Iterable[Any] | None = None,
    options: EvaluationOptions = _DEFAULTS,
) -> StrategyScores:
    """Scores strategies of a template on the same clips.

    Each batch is decoded once and nothing is retraced. Strategies that agree on the first layers
    share their computation, S+ST is one convolution where that is exact, and a path that is off is
    not computed.

    A template's batch-norm statistics come from random gates and fit no single strategy. If you
    pass ``train_clips``, the statistics are measured again for each strategy: the means over a few
    training batches that run with its paths. Without them scores can be far too low. The model is
    left unchanged.

    If the template was built for several classes per clip (``multi_label``), labels are ``(batch,
    classes)`` of 0 and 1, and an answer is correct if the most probable class is one of the clip's
    (Hit@1), or one of the five most probable is (Hit@5). Each score then also has a mean average
    precision, ``map``, for which the probabilities of all strategies are held: four bytes for each
    strategy, clip and class.

    Args:
        model: ``keras.Model``, a trained template.
        strategies: a sequence of ``FusionStrategy``, or of their texts, to score.
        clips: an iterable of validation batches ``(clips, labels)``, each used once; or arrays
            ``(X, Y)``, as ``fit`` takes them.
        train_clips: training clips in the same form, for batch-norm recalibration. Defaults to
            None, which uses the template's statistics.
        options: ``EvaluationOptions``, the settings of the evaluation.

    Returns:
        ``StrategyScores``, in the order of ``strategies``.

    Example:
    ```python
    scores = evaluate_strategies(template, strategies, val_clips, train_clips=train_clips)
    print(scores.best.strategy, scores.best.top1)
    ```

    Raises:
        ValueError: If there are no strategies or no clips, a strategy does not fit the template, a
            label is out of range, a batch divides a video, the memory does not suffice for one
            video, or the folder to resume from is that of another evaluation.
        VideoError: If a video cannot be read.
    """
    return _evaluate(model, strategies, clips, None, train_clips, options)


@named
def race_strategies(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    *,
    level: float = 0.05,
    margin: float = 0.0,
    train_clips: Iterable[Any] | None = None,
    options: EvaluationOptions = _DEFAULTS,
) -> StrategyScores:
    """Scores strategies as ``evaluate_strategies`` does, dropping those that can no longer win.

    Strategies are dropped between batches. With a probability of at least ``1 - level``, the best
    strategy in expectation over such clips is not dropped, or, with a margin, only in favour of one
    within the margin of it (see ``Race``). This holds for clips in random order: a list that is
    sorted by class must be shuffled first. The race ends when one strategy is left.

    Args:
        model, strategies, clips, train_clips, options: as for ``evaluate_strategies``.
        level: float, the probability of dropping the best strategy. Defaults to 0.05.
        margin: float, a difference in accuracy that does not matter, such as 0.01: strategies of
            about the same accuracy are dropped too. Defaults to 0.

    Returns:
        ``StrategyScores``; ``score.clips`` is the number of clips on which a strategy was scored,
        and ``best`` is the best of the ``finalists``, which were scored on every clip.

    Raises:
        ValueError: As for ``evaluate_strategies``; also if the clips come sorted by class.
        VideoError: If a video cannot be read.

    Example:
    ```python
    scores = race_strategies(template, strategies, val_clips)
    print([score.strategy for score in scores.finalists])
    ```
    """
    return _evaluate(model, strategies, clips, (level, margin), train_clips, options)


def _evaluate(
    model: keras.Model,
    strategies: Sequence[FusionStrategy | str],
    clips: Iterable[Any],
    race_at: tuple[float, float] | None,
    train_clips: Iterable[Any] | None,
    options: EvaluationOptions,
) -> StrategyScores:
    clips = batches_of(clips)
    train_clips = None if train_clips is None else batches_of(train_clips)
    chosen = [FusionStrategy.of(strategy) for strategy in strategies]
    if not chosen:
        raise ValueError("There are no strategies to evaluate.")
    with with_bar(options, len(chosen), clips, train_clips) as shown:
        return _scores(model, chosen, clips, race_at, train_clips, shown)


def _scores(
    model: keras.Model,
    chosen: Sequence[FusionStrategy],
    clips: Iterable[Any],
    race_at: tuple[float, float] | None,
    train_clips: Iterable[Any] | None,
    options: EvaluationOptions,
) -> StrategyScores:
    tree = StrategyTree(model, [strategy_masks(model, strategy) for strategy in chosen])
    if options.adapt_steps:
        if race_at is not None:
            raise ValueError(
                "A race scores strategies batch by batch, but adapted ones are scored one after "
                "another. Expected adapt_steps=0. "
                f"Received: adapt_steps={options.adapt_steps}"
            )
        return adapted_scores(tree, model, chosen, clips, train_clips, options)
    race = None if race_at is None else Race(len(chosen), *race_at)
    batches, folder, views = options.recalibration_batches, options.resume, options.views
    texts = [*map(str, chosen), f"{race_at} {batches} {train_clips is not None} {views}"]
    mark = "" if folder is None else fingerprint_of(model, *texts)
    tick = options.on_strategy or (lambda: None)
    several = bool(getattr(model, "multi_label", False))
    scoring = Scoring(tree, model.output_shape[-1], tick, views, multi_label=several)
    with restored_gates(model), video_errors():
        set_strategy(model, "mode")  # strategies do not include the classifier's gate
        if train_clips is not None:
            scoring.measure(train_clips, batches, file_in(folder, "statistics.npz"), mark)
        room, path = options.memory_bytes, file_in(folder, "right.npz")
        found = scoring.score(clips, race, room, path, mark)
    recalibrated = train_clips is not None
    return StrategyScores.of(
        chosen, found.right, found.seen, found.labels, recalibrated, found.maps
    )
