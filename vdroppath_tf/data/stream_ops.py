"""A training clip out of one record by TensorFlow's operations alone, for any process to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from vdroppath_tf.data.transforms import ClipSampling

_FEATURES = {
    "label": tf.io.FixedLenFeature([], tf.int64),
    "name": tf.io.FixedLenFeature([], tf.string),
    "num_frames": tf.io.FixedLenFeature([], tf.int64),
    "height": tf.io.FixedLenFeature([], tf.int64),
    "width": tf.io.FixedLenFeature([], tf.int64),
    "frames": tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True),
}
_DONE_HERE = {"frames", "stride", "random_stride", "short_edge", "crop", "flip", "clips_per_video"}


class ClipOps:
    """What `training_plan` and `RecordVideo` do to a video, as a graph.

    Args:
        sampling: how clips are made.
        seed: of all that is drawn.
        size: height and width of a clip.
        numbers: the class number to give for each label of the records.

    Raises:
        ValueError: `sampling` asks for more than this can do.
    """

    def __init__(
        self, sampling: ClipSampling, seed: int, size: tuple[int, int], numbers: Sequence[int]
    ) -> None:
        for field in dataclasses.fields(sampling):
            value = getattr(sampling, field.name)
            if field.name not in _DONE_HERE and value != field.default:
                raise ValueError(
                    f"stream_clips cannot do ClipSampling({field.name}={value!r}): leave it out, "
                    "or use training_clips."
                )
        self._sampling, self._seed, self._size = sampling, seed % (1 << 63), size
        self._numbers = list(numbers)

    def clip(self, epoch: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """(clip uint8 `(time, height, width, 3)`, label), a function of seed, epoch and record."""
        video = tf.io.parse_single_example(record, _FEATURES)
        seed = tf.random.experimental.stateless_fold_in(
            tf.stack([tf.constant(self._seed, tf.int64), epoch]),
            tf.strings.to_hash_bucket_fast(video["name"], (1 << 63) - 1),
        )
        draws = tf.random.stateless_uniform([6], seed, dtype=tf.float64)
        pictures = tf.gather(video["frames"], self._indices(video["num_frames"], draws))
        clip = self._decode(tf.unstack(pictures, self._sampling.frames), video, draws)
        if self._sampling.flip:
            clip = tf.cond(draws[5] < 0.5, lambda: tf.reverse(clip, [2]), lambda: clip)
        label = tf.gather(tf.constant(self._numbers, tf.int64), video["label"])
        return tf.ensure_shape(clip, (self._sampling.frames, *self._size, 3)), label

    def _indices(self, num_frames: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """See `dense_indices`."""
        sampling, stride = self._sampling, tf.constant(self._sampling.stride, tf.int64)
        if sampling.random_stride:
            stride = 1 + _pick(draws[0], stride)
        room = tf.maximum(tf.constant(0, tf.int64), num_frames - sampling.frames * stride)
        frames = _pick(draws[1], room + 1) + stride * tf.range(sampling.frames, dtype=tf.int64)
        return tf.minimum(frames, num_frames - 1)

    def _decode(
        self, pictures: list[tf.Tensor], video: dict[str, tf.Tensor], draws: tf.Tensor
    ) -> tf.Tensor:
        """Only the crop is decoded where nothing is to be scaled. Frames side by side, unrolled."""
        height, width = video["height"], video["width"]
        edges: Any = self._sampling.short_edge
        edge = tf.minimum(height, width)
        if edges is not None:
            edges = tf.constant(edges if isinstance(edges, tuple) else (edges,), tf.int64)
            edge = edges[_pick(draws[2], tf.size(edges, tf.int64))]
        tall, wide = _scaled(height, width, edge)
        top = _pick(draws[3], tall - self._size[0] + 1)
        left = _pick(draws[4], wide - self._size[1] + 1)

        def as_it_is() -> tf.Tensor:
            window = tf.cast(tf.stack([top, left, *self._size]), tf.int32)
            return tf.stack([tf.io.decode_and_crop_jpeg(p, window, channels=3) for p in pictures])

        def scaled() -> tf.Tensor:
            frames = tf.stack([tf.io.decode_jpeg(p, channels=3) for p in pictures])
            size = tf.cast(tf.stack([tall, wide]), tf.int32)
            frames = tf.image.resize(frames, size, antialias=True)
            frames = frames[:, top : top + self._size[0], left : left + self._size[1]]
            return tf.saturate_cast(tf.round(frames), tf.uint8)

        return tf.cond(edge == tf.minimum(height, width), as_it_is, scaled)


def _pick(draw: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """A number of 0..count-1 from a uniform draw of [0, 1)."""
    number = tf.cast(draw * tf.cast(count, tf.float64), tf.int64)
    return tf.minimum(number, tf.cast(count, tf.int64) - 1)


def _scaled(height: tf.Tensor, width: tf.Tensor, edge: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """See `scaled_size`."""
    sides = tf.stack([height, width])
    ratio = tf.cast(sides * edge, tf.float64) / tf.cast(tf.minimum(height, width), tf.float64)
    sides = tf.maximum(edge, tf.cast(tf.round(ratio), tf.int64))
    return sides[0], sides[1]
