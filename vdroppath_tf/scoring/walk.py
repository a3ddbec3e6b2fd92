"""Runs strategies as a tree: those that agree on the first layers share their computation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.models.least_size import least_clip
from vdroppath_tf.scoring.batch_statistics import of_the_batch, parted, read
from vdroppath_tf.scoring.cutting import cut
from vdroppath_tf.scoring.memory import bytes_per_clip
from vdroppath_tf.scoring.segments import Segment

Key = tuple[Any, ...]  # a node of the tree: the masks of the layers so far, as bytes
Statistics = dict[Key, tf.Tensor]  # by node, for the batch norms of the node's segment
State = dict[int, tf.Tensor]
Weights = tuple[list[tf.Tensor], tf.Tensor | None]


class _Pass(NamedTuple):
    """The settings of a walk over one batch.

    Attributes:
        weights: the weights of each segment, and its statistics in the model.
        statistics: the statistics of each node, used at inference and filled in training; None for
            the model's.
        training: whether batch norms use the batch's own statistics.
    """

    weights: list[Weights]
    statistics: Statistics | None
    training: bool


class StrategyTree:
    """Runs strategies of a template on a batch, depth first, sharing common layers.

    At any time only the activations of one path through the tree are held, never those of all
    strategies. Each kind of segment is traced once for each set of its branches that occurs. The
    model's variables are read and never written.

    Args:
        model: a template.
        masks: for each strategy one mask per layer, as ``strategy_masks`` returns them.
    """

    def __init__(self, model: keras.Model, masks: Sequence[Sequence[np.ndarray]]) -> None:
        self.segments = cut(model)
        self.channels, self.least = model.input_shape[-1], least_clip(model)
        (self.output,) = self.segments[-1].kept
        self.masks = [[np.zeros(0, "float32"), *row] for row in masks]
        self.keys = [tuple(mask.tobytes() for mask in row) for row in self.masks]
        self.clip = self.segments[0].takes[0]
        self._functions: dict[Any, Any] = {}
        self._known: dict[Any, Any] = {}  # the same functions, by depth
        self._units: dict[tuple[int, bytes], Any] = {}
        self._bytes: dict[tuple[int, ...], int] = {}  # of one clip, by the clip's shape

    def __len__(self) -> int:
        return len(self.masks)

    def nodes(self, rows: Sequence[int] | None = None) -> list[int]:
        """Returns the number of nodes at each depth: the runs of each segment for one batch."""
        keys = [self.keys[k] for k in (range(len(self)) if rows is None else rows)]
        return [len({key[: n + 1] for key in keys}) for n in range(len(self.segments))]

    def statistics_sizes(self) -> Iterator[tuple[Key, int]]:
        """Yields each node with batch norms, in the order of the walk, and its statistics' size."""
        done: set[Key] = set()
        sizes = [sum(2 * norm.moving_mean.shape[0] for norm in s.norms) for s in self.segments]
        for key in sorted(self.keys):
            for depth, size in enumerate(sizes, 1):
                if size and key[:depth] not in done:
                    done.add(key[:depth])
                    yield key[:depth], size

    def logits(
        self, clips: Any, rows: Sequence[int], statistics: Statistics | None = None
    ) -> Iterator[tuple[list[int], tf.Tensor]]:
        """Runs some of the strategies on a batch.

        Args:
            clips: ``(batch, time, height, width, 3)``.
            rows: the numbers of the strategies.
            statistics: the statistics from ``measure``; None for the model's.

        Yields:
            The numbers of equal strategies, and their logits ``(batch, classes)``.
        """
        run = _Pass(self._weights(), statistics, training=False)
        for same, state in self._walk(self._start(clips), rows, run):
            yield same, tf.cast(state[self.output], tf.float32)

    def measure(self, clips: Any, rows: Sequence[int]) -> Iterator[tuple[list[int], Statistics]]:
        """Yields statistics of a batch; each node's come with the first strategy below it."""
        found: Statistics = {}
        run = _Pass(self._weights(), found, training=True)
        with of_the_batch([norm for segment in self.segments for norm in segment.norms]):
            for same, _ in self._walk(self._start(clips), rows, run):
                yield same, dict(found)
                found.clear()

    def _start(self, clips: Any) -> State:
        dtype = self.segments[0].specs[self.clip].dtype  # as keras.Model casts its inputs
        return {self.clip: tf.cast(tf.convert_to_tensor(clips), dtype)}

    def _weights(self) -> list[Weights]:
        """Returns each segment's weights and statistics in the model, read once for a batch."""
        return [
            ([tf.convert_to_tensor(v) for v in s.weights], read(s.norms) if s.norms else None)
            for s in self.segments
        ]

    def _walk(
        self, state: State, rows: Sequence[int], run: _Pass, depth: int = 0
    ) -> Iterator[tuple[list[int], State]]:
        if depth == len(self.segments):
            yield list(rows), state
            return
        ordered = sorted(rows, key=lambda k: self.keys[k]) if depth == 0 else rows
        for key, group in groupby(ordered, lambda k: self.keys[k][: depth + 1]):
            below = list(group)
            after = self._run(depth, key, below[0], state, run)
            yield from self._walk(after, below, run, depth + 1)

    def _run(self, depth: int, key: Key, row: int, state: State, run: _Pass) -> State:
        segment = self.segments[depth]
        branches, factors = self._unit(depth, key[-1], row)
        inputs = [state[t] for t in segment.takes]
        weights, own = run.weights[depth]
        if own is not None and not run.training and run.statistics is not None:
            own = run.statistics[key]
        arguments = inputs, factors, weights, own
        known = (depth, branches, run.training, *(x.shape[1:] for x in inputs))
        if known not in self._known:
            self._known[known] = self._function(segment, branches, run.training, arguments)
        gives, measured = self._known[known](*arguments)
        if measured is not None and run.statistics is not None:
            run.statistics[key] = measured
        new = {**state, **dict(zip(segment.gives, gives, strict=True))}
        return {t: new[t] for t in segment.kept}

    def _unit(self, depth: int, mask: bytes, row: int) -> tuple[tuple[str, ...], Any]:
        """Returns the branches that a layer's mask turns on, and their factors; see ``_unit``."""
        if (depth, mask) not in self._units:
            self._units[depth, mask] = _unit(self.segments[depth].fusion, self.masks[row][depth])
        return self._units[depth, mask]

    def _function(
        self, segment: Segment, branches: tuple[str, ...], training: bool, arguments: Any
    ) -> Any:
        """Returns a segment under a unit, traced once for its kind and any number of clips.

        Weights and statistics are arguments, so segments that differ only in these share a
        function.
        """
        inputs, *others = arguments
        specs = (
            [_any_number(x) for x in inputs],
            *tf.nest.map_structure(tf.type_spec_from_value, others),
        )
        key = (segment.kind, branches, training, *(spec.shape[1:] for spec in specs[0]))
        if key not in self._functions:
            traced = tf.function(_computation(segment, branches, training), autograph=False)
            self._functions[key] = traced.get_concrete_function(*specs)
        return self._functions[key]

    def bytes_per_clip(self, clip_shape: Sequence[int]) -> int:
        """Returns an upper bound of the bytes of one clip; see ``memory.bytes_per_clip``."""
        shape = tuple(clip_shape)
        if shape not in self._bytes:
            self._bytes[shape] = bytes_per_clip(self.segments, self.clip, shape)
        return self._bytes[shape]


def _unit(fusion: FusionConv | None, mask: np.ndarray) -> tuple[tuple[str, ...], Any]:
    """Returns the branches that are on, and their factors if each input has its own gates."""
    if fusion is None:
        return (), None
    table = mask.reshape(fusion.inputs, -1).T
    rows = zip(fusion.branches, table, strict=True)
    on = {branch: tf.constant(row[None]) for branch, row in rows if row.any()}
    return tuple(on), None if fusion.widths is None else on


def _computation(segment: Segment, branches: tuple[str, ...], training: bool) -> Any:
    """Returns a segment under a unit as a function: its outputs and, in training, statistics."""

    def run(inputs: list[Any], factors: Any, weights: list[Any], own: Any) -> Any:
        keeps = dict.fromkeys(branches) if factors is None else dict(factors)
        values = list(zip(segment.weights, weights, strict=True))
        if own is not None:
            values += parted(segment.norms, own)
        with keras.StatelessScope(values):
            gives = segment.run(inputs, keeps, training)
            return gives, read(segment.norms) if training and segment.norms else None

    return run


def _any_number(clips: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec([None, *clips.shape[1:]], clips.dtype)
