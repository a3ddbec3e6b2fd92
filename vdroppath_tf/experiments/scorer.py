"""Scorer: scores strategies for the quickstart, halving, rankings and ``evaluate``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vdroppath_tf.analysis.layer_worth import layer_worth
from vdroppath_tf.analysis.worth import LayerWorth
from vdroppath_tf.brief import brief
from vdroppath_tf.data.clips.protocols import Protocol
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named
from vdroppath_tf.scoring.evaluate import evaluate_strategies, race_strategies
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training.clips import ONE_CLIP, RecipeClips


@named
@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores the strategies of a template on any videos with the same settings.

    Attributes:
        template: The trained template.
        clips: The maker of the clips.
        train: The training videos for batch-norm recalibration, or None for the template's
            statistics.
        protocol: The test protocol. Defaults to one clip from the centre.
        batch_size: The number of clips in a batch. Defaults to the recipe's.
        memory_bytes: The memory for activations. Defaults to 1 GiB.
        adapt_steps: The number of training steps of each strategy before it is scored, see
            ``EvaluationOptions``. Defaults to 0.
        adapt_learning_rate: The learning rate of the first of them. Defaults to 0.02.

    Example:
    ```python
    maker = vdroppath_tf.training.RecipeClips(recipe)
    scores = Scorer(template, maker, train=train_videos).scores(space.sample(4), val_videos)
    ```
    """

    template: FusionModel
    clips: RecipeClips
    train: Manifest | None
    protocol: Protocol = ONE_CLIP
    batch_size: int | None = None
    memory_bytes: int = 2**30
    adapt_steps: int = 0
    adapt_learning_rate: float = 0.02

    __repr__ = brief

    def scores(
        self,
        strategies: Sequence[FusionStrategy | str],
        videos: Manifest,
        *,
        race: tuple[float, float] | None = None,
        resume: str | os.PathLike[str] | None = None,
        on_strategy: Callable[[], object] | None = None,
    ) -> StrategyScores:
        """Scores strategies on videos.

        Args:
            strategies: The strategies.
            videos: The videos.
            race: The level and the margin of a race, which drops strategies that can no longer
                win. Defaults to None, which scores all of them on all videos.
            resume: A folder for what has been done after each batch. Defaults to none.
            on_strategy: Called after each strategy and batch, for a progress bar.

        Returns:
            ``StrategyScores``, in the order of ``strategies``.
        """
        clips, more = self._how(videos, resume, on_strategy)
        given = self.template, strategies, clips
        if race is None:
            return evaluate_strategies(*given, **more)
        level, margin = race
        return race_strategies(*given, level=level, margin=margin, **more)

    def worth(
        self,
        strategy: FusionStrategy | str,
        videos: Manifest,
        *,
        resume: str | os.PathLike[str] | None = None,
        on_strategy: Callable[[], object] | None = None,
    ) -> LayerWorth:
        """Measures what the choice of each layer of a strategy is worth, see ``layer_worth``.

        Args:
            strategy: The strategy.
            videos: The videos, on which the strategy should not have been chosen.
            resume: A folder for what has been done after each batch. Defaults to none.
            on_strategy: Called after each strategy and batch, for a progress bar.
        """
        clips, more = self._how(videos, resume, on_strategy)
        return layer_worth(self.template, strategy, clips, **more)

    def _how(
        self,
        videos: Manifest,
        resume: str | os.PathLike[str] | None,
        on_strategy: Callable[[], object] | None,
    ) -> tuple[Any, dict[str, Any]]:
        """Returns the clips of videos, and the arguments of every scoring."""
        clips = self.clips.evaluation(videos, self.protocol, batch_size=self.batch_size)
        options = EvaluationOptions(
            views=self.protocol.views,
            memory_bytes=self.memory_bytes,
            resume=resume,
            on_strategy=on_strategy,
            adapt_steps=self.adapt_steps,
            adapt_learning_rate=self.adapt_learning_rate,
        )
        train_clips = None if self.train is None else _Anew(self.clips, self.train)
        return clips, {"train_clips": train_clips, "options": options}


@dataclass(frozen=True)
class _Anew:
    """Training clips that restart at the first epoch at each reading: the same for all."""

    clips: RecipeClips
    videos: Manifest

    def __iter__(self) -> Iterator[Any]:
        return iter(self.clips.recalibration(self.videos))
