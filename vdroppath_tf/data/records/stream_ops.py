"""Makes a training clip out of one record with TensorFlow operations only, for any process."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.area_crop import TRIES
from vdroppath_tf.data.clips.graph_resize import resized, scaled_sides
from vdroppath_tf.data.clips.plans import share_pairs
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.records.bytes import TIMES
from vdroppath_tf.data.records.stream_times import shown_count, shown_frames, times_of
from vdroppath_tf.names import named

_FEATURES = {
    "label": tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
    "name": tf.io.FixedLenFeature([], tf.string),
    "num_frames": tf.io.FixedLenFeature([], tf.int64),
    "height": tf.io.FixedLenFeature([], tf.int64),
    "width": tf.io.FixedLenFeature([], tf.int64),
    "frames": tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True),
    TIMES: tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
}
_FOR_TESTS = {"clips_per_video", "crops_per_clip"}  # without effect, as a stream is for training
_DONE_HERE = _FOR_TESTS | {
    *("frames", "stride", "random_stride", "sampler", "short_edge", "flip", "flip_directional"),
    *("crop", "crop_scales", "crop_area", "crop_ratio"),
    "square_pixels",  # done by the conversion
    "fps",
}
_START = 64  # bytes of a picture in which EXIF begins, if it has any
_SEGMENTS, _SIZES = 1, 2  # separate streams of draws, so that options do not affect each other


@named
class ClipOps:
    """The operations of `training_plan` and `RecordVideo` as a graph.

    Args:
        sampling: How clips are made.
        seed: The seed of all draws.
        size: The height and width of a clip.
        numbers: The class number for each label of the records.
        classes: The number of classes of multi-label videos. Defaults to 0, for single-label
            videos.

    Raises:
        ValueError: If `sampling` has an option that is not supported here.

    Example:
        ```python
        ops = ClipOps(ClipSampling(frames=16, crop=112, short_edge=128), 0, (112, 112), [0, 1])
        clips = tf.data.TFRecordDataset(shard).map(lambda record: ops.clip(epoch, record))
        ```
    """

    def __init__(
        self,
        sampling: ClipSampling,
        seed: int,
        size: tuple[int, int],
        numbers: Sequence[int],
        classes: int = 0,
    ) -> None:
        for field in dataclasses.fields(sampling):
            value = getattr(sampling, field.name)
            if field.name not in _DONE_HERE and value != field.default:
                raise ValueError(
                    f"stream_clips does not support ClipSampling({field.name}={value!r}): leave it "
                    "out, or use training_clips."
                )
        self._sampling, self._seed, self._size = sampling, seed % (1 << 63), size
        self._numbers, self._classes = list(numbers), classes

    def clip(self, epoch: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns (clip uint8 `(time, height, width, 3)`, label) for seed, epoch and record."""
        video = tf.io.parse_single_example(record, _FEATURES)
        seed = tf.random.experimental.stateless_fold_in(
            tf.stack([tf.constant(self._seed, tf.int64), epoch]),
            tf.strings.to_hash_bucket_fast(video["name"], (1 << 63) - 1),
        )
        draws = tf.random.stateless_uniform([6], seed, dtype=tf.float64)
        pictures = tf.gather(video["frames"], self._frames(video, draws, seed))
        pictures = _without_exif(pictures, video["name"])
        clip = self._decode(tf.unstack(pictures, self._sampling.frames), video, draws, seed)
        if self._sampling.flip:
            clip = tf.cond(draws[5] < 0.5, lambda: _mirrored(clip), lambda: clip)
        return tf.ensure_shape(clip, (self._sampling.frames, *self._size, 3)), self._label(video)

    def _label(self, video: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns the class number, or for multi-label videos 0 and 1 for each class, float32."""
        numbers = tf.gather(tf.constant(self._numbers, tf.int64), video["label"])
        if self._classes:
            return tf.reduce_sum(tf.one_hot(numbers, self._classes), 0)
        return numbers[0]

    def _frames(self, video: dict[str, tf.Tensor], draws: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns the numbers of a clip's frames; with a rate, of those on display at its times."""
        rate = self._sampling.fps
        if rate is None:
            return self._indices(video["num_frames"], draws, seed)
        times = times_of(video)
        return shown_frames(times, self._indices(shown_count(times, rate), draws, seed), rate)

    def _indices(self, num_frames: tf.Tensor, draws: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """See `dense_indices` and `segment_indices`."""
        if self._sampling.sampler == "segments":
            count = self._sampling.frames
            places = tf.range(count, dtype=tf.float64) + _more(seed, _SEGMENTS, [count])
            frames = tf.cast(places * tf.cast(num_frames, tf.float64) / count, tf.int64)
            return tf.minimum(frames, num_frames - 1)
        sampling, stride = self._sampling, tf.constant(self._sampling.stride, tf.int64)
        if sampling.random_stride:
            stride = 1 + _pick(draws[0], stride)
        room = tf.maximum(tf.constant(0, tf.int64), num_frames - sampling.frames * stride)
        frames = _pick(draws[1], room + 1) + stride * tf.range(sampling.frames, dtype=tf.int64)
        return tf.minimum(frames, num_frames - 1)

    def _decode(
        self,
        pictures: list[tf.Tensor],
        video: dict[str, tf.Tensor],
        draws: tf.Tensor,
        seed: tf.Tensor,
    ) -> tf.Tensor:
        """Decodes a clip, only its crop if frames keep their size; the frames are unrolled."""
        height, width = video["height"], video["width"]
        edges: Any = self._sampling.short_edge
        edge = tf.minimum(height, width)
        if edges is not None:
            edges = tf.constant(edges if isinstance(edges, tuple) else (edges,), tf.int64)
            edge = edges[_pick(draws[2], tf.size(edges, tf.int64))]
        sides = scaled_sides(tf.stack([height, width]), edge)
        window = tf.cast(self.window(sides, draws, seed), tf.int32)

        def as_it_is() -> tf.Tensor:
            return tf.stack([tf.io.decode_and_crop_jpeg(p, window, channels=3) for p in pictures])

        def scaled() -> tf.Tensor:
            frames = tf.stack([tf.io.decode_jpeg(p, channels=3) for p in pictures])
            top, left, tall, wide = tf.unstack(window)
            return resized(frames, sides)[:, top : top + tall, left : left + wide]

        clip = tf.cond(edge == tf.minimum(height, width), as_it_is, scaled)
        rescaled = self._sampling.crop_scales or self._sampling.crop_area
        return resized(clip, self._size) if rescaled else clip

    def window(self, frame: tf.Tensor, draws: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns top, left, height and width of the crop in a frame; see `crop_boxes`."""
        sides, corner = tf.constant(self._size, tf.int64), draws[3:5]
        room = tf.cast(frame, tf.float64)
        if self._sampling.crop_scales:
            pairs = tf.constant(share_pairs(self._sampling.crop_scales), tf.float64)
            shares = pairs[_pick(_more(seed, _SIZES, []), tf.shape(pairs, tf.int64)[0])]
            crop = tf.cast(sides, tf.float64)
            sides = _whole(shares * tf.reduce_min(room / crop) * crop)
        if self._sampling.crop_area:
            sides, drawn = self._area(room, seed)
            corner = tf.where(drawn, corner, 0.5)
        return tf.concat([_pick(corner, tf.cast(room, tf.int64) - sides + 1), sides], 0)

    def _area(self, room: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """See `AreaCrop.size`."""
        (least, most), ratio = self._sampling.crop_area, self._sampling.crop_ratio
        low, high = np.log(ratio)
        draws = _more(seed, _SIZES, [TRIES, 2])
        areas = (least + draws[:, 0] * (most - least)) * tf.reduce_prod(room)
        ratios = tf.exp(low + draws[:, 1] * (high - low))
        sides = tf.round(tf.sqrt(tf.stack([areas / ratios, areas * ratios], 1)))
        fits = tf.reduce_all((sides > 0) & (sides <= room), 1)
        whole = tf.minimum(room, _whole(room[::-1] * [1 / ratio[0], ratio[1]], room.dtype))
        drawn = tf.reduce_any(fits)
        first = tf.argmax(tf.cast(fits, tf.int32))
        return tf.cast(tf.where(drawn, sides[first], whole), tf.int64), drawn


def _without_exif(pictures: tf.Tensor, name: tf.Tensor) -> tf.Tensor:
    """Returns the pictures if none has an EXIF orientation, which TensorFlow does not apply.

    Pictures written by `write_records` never have one.
    """
    starts = tf.io.decode_raw(tf.strings.substr(pictures, 0, _START), tf.uint8, fixed_length=_START)
    letters = [starts[:, k : k + _START - 3] == ord(letter) for k, letter in enumerate("Exif")]
    found = tf.reduce_any(tf.reduce_all(letters, 0))
    message = (
        "its JPEG pictures have EXIF data, which may hold an orientation, and stream_clips "
        "does not rotate pictures: use training_clips, or convert the videos again."
    )
    with tf.control_dependencies([tf.debugging.Assert(~found, [name, message])]):
        return tf.identity(pictures)


def _mirrored(clip: tf.Tensor) -> tf.Tensor:
    """Mirrors a clip left to right, as one tall picture, which TensorFlow does twice as fast."""
    shape = tf.shape(clip)
    return tf.reshape(tf.reverse(tf.reshape(clip, (-1, shape[2], 3)), [1]), shape)


def _more(seed: tf.Tensor, number: int, shape: list[int]) -> tf.Tensor:
    """Draws further numbers from [0, 1)."""
    other = tf.random.experimental.stateless_fold_in(seed, number)
    return tf.random.stateless_uniform(shape, other, dtype=tf.float64)


def _whole(sides: tf.Tensor, dtype: tf.DType = tf.int64) -> tf.Tensor:
    return tf.cast(tf.maximum(tf.round(sides), 1), dtype)


def _pick(draw: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Converts a uniform draw from [0, 1) to a number of 0..count-1."""
    number = tf.cast(draw * tf.cast(count, tf.float64), tf.int64)
    return tf.minimum(number, tf.cast(count, tf.int64) - 1)
