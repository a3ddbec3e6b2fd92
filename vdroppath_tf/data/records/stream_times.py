"""Clips at a common frame rate, as a graph; ``data.sources.clock`` does the same with numpy."""

from __future__ import annotations

import tensorflow as tf

from vdroppath_tf.data.records.bytes import TIMES
from vdroppath_tf.data.sources.clock import SAME_TIME


def times_of(video: dict[str, tf.Tensor]) -> tf.Tensor:
    """Returns the time of each frame of a record in seconds, float64; fails if it has none."""
    message = (
        "its record has no times of frames, which fps= requires: it was converted "
        "by an older version, or from pictures. Convert the videos again, pictures with "
        "--source_fps, or leave fps out."
    )
    known = tf.equal(tf.size(video[TIMES], tf.int64), video["num_frames"])
    with tf.control_dependencies([tf.debugging.Assert(known, [video["name"], message])]):
        return tf.cast(video[TIMES], tf.float64) / 1e6


def shown_count(times: tf.Tensor, fps: float) -> tf.Tensor:
    """See ``clock.shown_count``; int64."""
    steps = tf.sort(times[1:] - times[:-1])
    count = tf.size(steps)

    def median() -> tf.Tensor:
        return (steps[(count - 1) // 2] + steps[count // 2]) / 2

    last = tf.cond(count > 0, median, lambda: tf.constant(1.0 / fps, tf.float64))
    length = times[-1] - times[0] + last
    return tf.maximum(tf.cast(tf.math.ceil((length - SAME_TIME) * fps), tf.int64), 1)


def shown_frames(times: tf.Tensor, numbers: tf.Tensor, fps: float) -> tf.Tensor:
    """See ``clock.shown_frames``; int64."""
    wanted = times[0] + tf.cast(numbers, tf.float64) / fps + SAME_TIME
    places = tf.searchsorted(times, wanted, side="right", out_type=tf.int64)
    return tf.maximum(places - 1, tf.constant(0, tf.int64))
