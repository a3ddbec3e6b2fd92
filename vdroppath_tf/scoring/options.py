"""Settings for scoring strategies: recalibration, adaptation, views, memory, progress."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_ranges, whole


@named
@dataclass(frozen=True)
class EvaluationOptions:
    """The settings of ``evaluate_strategies`` and ``race_strategies``.

    Attributes:
        recalibration_batches: int, the number of batches of ``train_clips`` to use. Defaults to 8.
        views: int, the number of clips of each video, adjacent and in one batch. The mean softmax
            over them is the score of the video, and videos are counted instead of clips. Defaults
            to 1.
        memory_bytes: int, the memory for activations while scoring; batches are divided into parts
            that fit. Recalibration holds one whole training batch, but never as much as a training
            step. Defaults to 1 GiB.
        resume: str or path, a folder for the results after each batch. If called again with the
            same model, strategies and clips, the evaluation resumes from there and gives the same
            result. Defaults to None, which keeps nothing.
        on_strategy: callable, called after each strategy and batch, for the caller's progress bar.
            Defaults to None.
        adapt_steps: int, the number of steps of SGD on ``train_clips`` with which each strategy is
            trained, from the template's weights, before it is scored; ``docs/ranking.md`` shows how
            much they gain. Strategies then no longer share their first layers, and each reads the
            clips again. Defaults to 0.
        adapt_learning_rate: float, the learning rate of the first of these steps; it falls to 0
            along a cosine. Defaults to 0.02.
        progress: bool, whether a progress bar is shown, on a terminal and if scoring takes more
            than a few seconds. Defaults to True.
        adapt_rise: int, the number of these steps during which the rate rises linearly, at most
            half of them, for a new template with random weights. Defaults to 0.

    Example:
    ```python
    options = EvaluationOptions(resume="run/evaluation", progress=False)
    scores = evaluate_strategies(template, strategies, val_clips, options=options)
    ```
    """

    recalibration_batches: int = 8
    views: int = 1
    memory_bytes: int = 2**30
    resume: str | os.PathLike[str] | None = None
    on_strategy: Callable[[], object] | None = None
    adapt_steps: int = 0
    adapt_learning_rate: float = 0.02
    progress: bool = True
    adapt_rise: int = 0

    RANGES: ClassVar[Mapping[str, Range]] = {
        "adapt_steps": whole(0, 1_000_000),
        "adapt_learning_rate": Range(0.0, 1e6, above=True),
        "adapt_rise": whole(0, 1_000_000),
        "recalibration_batches": whole(1, 1_000_000),
        "views": whole(1, 10_000),
        "memory_bytes": whole(1, 2**50),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
