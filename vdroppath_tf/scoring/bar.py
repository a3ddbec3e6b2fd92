"""A progress bar of scoring, shown in a terminal if scoring takes more than a few seconds."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm

from vdroppath_tf.scoring.options import EvaluationOptions

_AFTER = 3.0  # seconds before the bar appears, so that short evaluations show none


@contextlib.contextmanager
def with_bar(
    options: EvaluationOptions, strategies: int, clips: Iterable[Any], train_clips: Any
) -> Iterator[EvaluationOptions]:
    """Yields the options with a progress bar, unless the caller passed ``on_strategy``.

    Args:
        options: The options of the evaluation.
        strategies: The number of strategies.
        clips: The batches to score on.
        train_clips: The batches for recalibration, or None.
    """
    if not options.progress or options.on_strategy is not None:
        yield options
        return
    total = _passes(options, strategies, clips, train_clips)
    what, unit = f"score {strategies} strategies", " passes"
    with tqdm(total=total, desc=what, unit=unit, leave=False, disable=None, delay=_AFTER) as bar:
        yield dataclasses.replace(options, on_strategy=lambda: bar.update(1))


def _passes(
    options: EvaluationOptions, strategies: int, clips: Any, train_clips: Any
) -> int | None:
    """Returns how many pairs of strategy and batch there are; None if the length is unknown."""
    try:
        batches = len(clips)
        if train_clips is not None and not options.adapt_steps:
            batches += min(options.recalibration_batches, len(train_clips))
    except TypeError:  # a generator, or a stream of unknown length
        return None
    return strategies * batches
