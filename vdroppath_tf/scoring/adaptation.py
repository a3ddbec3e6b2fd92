"""Scores after a few steps of training of each strategy, from the template's weights.

A template's weights are a compromise between all strategies, so a score also measures how badly
they fit that one strategy. A few training steps with only the strategy's paths reduce this error,
at a small share of the cost of training from scratch. On a template with random weights, these
steps are short trainings from scratch.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.pipeline import video_errors
from vdroppath_tf.names import named
from vdroppath_tf.scoring.array_files import read_arrays, write_arrays
from vdroppath_tf.scoring.one_strategy import OneStrategy
from vdroppath_tf.scoring.options import EvaluationOptions
from vdroppath_tf.scoring.progress import digest, file_in, fingerprint_of, other_evaluation
from vdroppath_tf.scoring.scores import StrategyScores
from vdroppath_tf.scoring.tree import Found, Scoring
from vdroppath_tf.scoring.walk import StrategyTree
from vdroppath_tf.spaces.strategy import FusionStrategy

_FILE, _FORMAT = "adapted.npz", "vdroppath_tf.adapted/1"


@named
def falling_rates(first: float, steps: int, rise: int = 0) -> list[float]:
    """Returns learning rates that rise linearly to ``first``, then fall to 0 along a half cosine.

    Args:
        first: float, the highest learning rate.
        steps: int, the number of learning rates.
        rise: int, the number of steps that rise, at most half of all. Defaults to 0, which starts
            at the highest rate.
    """
    rise = min(rise, steps // 2)
    up = [first * (k + 1) / (rise + 1) for k in range(rise)]
    falling = steps - rise
    down = [0.5 * first * (1.0 + math.cos(math.pi * k / falling)) for k in range(falling)]
    return [*up, *down]


def adapted_scores(
    tree: StrategyTree,
    model: keras.Model,
    strategies: Sequence[FusionStrategy],
    clips: Iterable[Any],
    train_clips: Iterable[Any] | None,
    options: EvaluationOptions,
) -> StrategyScores:
    """Scores strategies after ``adapt_steps`` training steps each, one strategy after another.

    Each starts from the template's weights and trains on the same batches in the same order.
    """
    _check_repeatable(clips, train_clips)
    batches: Any = train_clips
    rates = falling_rates(options.adapt_learning_rate, options.adapt_steps, options.adapt_rise)
    path = file_in(options.resume, _FILE)
    with video_errors():
        mark = "" if path is None else _mark(model, strategies, clips, batches, options)
    done = _Done.read(path, mark)
    several = bool(getattr(model, "multi_label", False))
    one = OneStrategy(model)
    alone: Any = _Alone(one, tree)
    tick = options.on_strategy or (lambda: None)
    with one.begin(), video_errors():
        for strategy in strategies[len(done.right) :]:
            one.start(strategy)
            one.train(_again_and_again(batches), rates)
            one.recalibrate(batches, options.recalibration_batches)
            scoring = Scoring(
                alone, model.output_shape[-1], tick, options.views, multi_label=several
            )
            done.add(scoring.score(clips, None, options.memory_bytes, None, ""))
            done.write(path, mark)
    right, maps = np.stack(done.right), np.array(done.maps) if several else None
    seen = np.full(len(strategies), right.shape[1])
    return StrategyScores.of(strategies, right, seen, done.labels, True, maps)


@named
def adapted_in(folder: str | os.PathLike[str]) -> int:
    """Returns the number of strategies whose results a stopped evaluation has kept in a folder.

    Args:
        folder: The ``resume`` of its ``EvaluationOptions``.
    """
    return len(_Done.read(file_in(folder, _FILE), None).right)


def _mark(
    model: keras.Model,
    strategies: Sequence[FusionStrategy],
    clips: Iterable[Any],
    train_clips: Iterable[Any],
    options: EvaluationOptions,
) -> str:
    """Returns a fingerprint of everything that the results depend on; reads all clips once more."""
    texts = [f"{options.adapt_learning_rate} {options.adapt_steps} {options.adapt_rise}"]
    texts.append(f"{options.recalibration_batches} {options.views}")
    used = itertools.islice(train_clips, max(options.adapt_steps, options.recalibration_batches))
    digests = map(digest, itertools.chain(clips, used))
    return fingerprint_of(model, *map(str, strategies), *texts, *digests)


def _check_repeatable(clips: Iterable[Any], train_clips: Iterable[Any] | None) -> None:
    """Raises if the clips are missing, or can be read only once."""
    if train_clips is None:
        raise ValueError(
            "Strategies are adapted on training clips, but there are none. Pass train_clips=, or "
            "adapt_steps=0 (on the command line: --train_data, or --adapt_steps=0)."
        )
    for name, some in (("clips", clips), ("train_clips", train_clips)):
        if iter(some) is some:
            raise ValueError(
                f"With adapt_steps every strategy reads {name} again; an iterator allows one pass. "
                f"Expected a data set or a list of batches. Received: {type(some).__name__}"
            )


def _again_and_again(clips: Iterable[Any]) -> Iterator[Any]:
    """Repeats the batches endlessly; ends at once if there are none."""
    empty = False
    while not empty:
        empty = True
        for batch in clips:
            empty = False
            yield batch


class _Alone:
    """The strategy that a template runs, with the interface of ``StrategyTree`` for ``Scoring``."""

    def __init__(self, one: OneStrategy, tree: StrategyTree) -> None:
        self.one, self.channels, self.least = one, tree.channels, tree.least
        self.bytes_per_clip = tree.bytes_per_clip

    def __len__(self) -> int:
        return 1

    def logits(self, clips: Any, rows: Any, statistics: Any) -> Iterator[tuple[list[int], Any]]:
        """Yields the logits of the strategy on a batch."""
        yield [0], self.one.logits(tf.convert_to_tensor(clips))


@dataclass
class _Done:
    """The results of the strategies that are finished: hits, mean average precisions, labels."""

    right: list[np.ndarray] = field(default_factory=list)
    maps: list[float] = field(default_factory=list)
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, "int64"))

    def add(self, found: Found) -> None:
        self.right.append(found.right[0])
        self.maps.append(math.nan if found.maps is None else float(found.maps[0]))
        self.labels = found.labels

    @classmethod
    def read(cls, path: Path | None, mark: str | None) -> _Done:
        """Reads a file; the mark is compared unless it is None."""
        if path is None or not path.exists():
            return cls()
        found = read_arrays(path, _FORMAT, ("fingerprint", "right", "maps", "labels"))
        if mark is not None and str(found["fingerprint"]) != mark:
            raise other_evaluation(path, "weights, strategies, clips or settings")
        return cls(list(found["right"]), found["maps"].tolist(), found["labels"])

    def write(self, path: Path | None, mark: str) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            arrays = {"right": np.stack(self.right), "labels": self.labels}
            more = {"maps": np.array(self.maps), "fingerprint": np.array(mark)}
            write_arrays(path, _FORMAT, **arrays, **more)
