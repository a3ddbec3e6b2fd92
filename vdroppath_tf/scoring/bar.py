"""A bar of what is scored, where that takes long and somebody looks at a terminal."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from tqdm import tqdm

from vdroppath_tf.scoring.options import EvaluationOptions

_AFTER = 3.0  # seconds; what takes no longer needs no bar


@contextlib.contextmanager
def with_bar(
    options: EvaluationOptions, strategies: int, clips: Iterable[Any], train_clips: Any
) -> Iterator[EvaluationOptions]:
    """The options with a bar that each strategy and batch moves, unless the caller has one.

    Args:
        options: As they were given.
        strategies: How many are scored.
        clips: Batches to score on.
        train_clips: Batches for recalibration, or None.
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
    """How often a strategy sees a batch; None where the number of batches is not known."""
    try:
        batches = len(clips)
        if train_clips is not None and not options.adapt_steps:
            batches += min(options.recalibration_batches, len(train_clips))
    except TypeError:  # a generator, or a stream of unknown length
        return None
    return strategies * batches
