"""How strategies are scored: recalibration, adaptation, views, memory, progress."""

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
    """How ``evaluate_strategies`` and ``race_strategies`` go about it.

    Attributes:
        recalibration_batches: int, how many batches of ``train_clips`` are used. Defaults to 8.
        views: int, clips of each video, adjacent and in one batch; the mean softmax over them is
            the score of the video, and the clips counted are videos then. Defaults to 1.
        memory_bytes: int, room for activations while scoring; batches are cut into pieces that fit.
            Recalibration holds one whole training batch, though never as much as a training step
            does. Defaults to 1 GiB.
        resume: str or path, a folder for what has been done after each batch. Called again with
            the same model, strategies and clips, the evaluation goes on from there and ends the
            same. Defaults to None, which keeps nothing.
        on_strategy: callable, called after each strategy and batch, for a progress bar of the
            caller's. Defaults to None.
        adapt_steps: int, how many steps of SGD on ``train_clips`` each strategy's paths take from
            the template's weights before they are scored (``docs/ranking.md`` has what so many
            steps gain). Strategies no longer share their
            first layers, and each reads the clips anew. Defaults to 0.
        adapt_learning_rate: float, the rate of the first of these steps; it falls to 0 along a
            cosine. Defaults to 0.02.
        progress: bool, whether a bar shows how far it is, on a terminal and where it takes more
            than a few seconds. Defaults to True.
        adapt_rise: int, how many of these steps rise to that rate in a line, at most half of them:
            for a new template, whose weights are random. Defaults to 0.
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
