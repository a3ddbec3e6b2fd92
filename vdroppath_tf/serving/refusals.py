"""Checks in a served graph that refuse invalid inputs, with messages that name the input."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

_AXES = ("batch", "time", "height", "width")


def checked_clips(
    clips: tf.Tensor, name: str, sizes: Sequence[int | None], least: Sequence[int]
) -> tf.Tensor:
    """Returns clips, or videos, after checking their shape at run time.

    TensorFlow Serving does not enforce the shape of a signature. The shape is therefore read after
    an operation that hides the static shape, or it would be folded into a constant.

    Args:
        clips: ``(batch, time, height, width, channels)``.
        name: The name of the input.
        sizes: The frames, height, width and channels; None for an open size.
        least: The smallest number of frames, height and width.
    """
    hidden = tf.raw_ops.PlaceholderWithDefault(input=clips, shape=tf.TensorShape(None))
    shape = tf.raw_ops.Shape(input=hidden)
    every = (None, *sizes)
    text = ", ".join(
        axis if size is None else str(size) for axis, size in zip(_AXES, every[:4], strict=True)
    )
    frames = "one frame" if least[0] == 1 else f"{least[0]} frames"
    message = (
        f"{name} must be ({text}, {every[4]}) and hold at least one clip of at least {frames} and "
        f"{least[1]} x {least[2]} pixels; received the shape"
    )
    rank = tf.debugging.Assert(tf.equal(tf.raw_ops.Size(input=shape), 5), [message, shape])
    with tf.control_dependencies([rank]):  # first, since otherwise there are no sizes to compare
        found = tf.identity(shape)
    enough = tf.reduce_all(found >= tf.constant((1, *least, 1)))
    fixed = [axis for axis, size in enumerate(every) if size is not None]
    same = tf.equal(tf.gather(found, fixed), tf.constant([every[axis] for axis in fixed]))
    done = tf.debugging.Assert(enough & tf.reduce_all(same), [message, shape])
    with tf.control_dependencies([done]):
        return tf.identity(clips)


def checked_pictures(jpegs: tf.Tensor, name: str, frames: int) -> tf.Tensor:
    """Returns JPEG files ``(batch, time)`` after checking that there are at least ``frames``."""
    hidden = tf.raw_ops.PlaceholderWithDefault(input=jpegs, shape=tf.TensorShape(None))
    shape = tf.raw_ops.Shape(input=hidden)
    message = (
        f"{name} must be strings (batch, time) that hold JPEG files, at least one video of at "
        f"least {'one frame' if frames == 1 else f'{frames} frames'}; received the shape"
    )
    rank = tf.debugging.Assert(tf.equal(tf.raw_ops.Size(input=shape), 2), [message, shape])
    with tf.control_dependencies([rank]):
        found = tf.identity(shape)
    enough = tf.debugging.Assert(tf.reduce_all(found >= (1, frames)), [message, shape])
    with tf.control_dependencies([enough]):
        files = tf.identity(jpegs)
    said = f"{name} holds something that is not a JPEG file; its length in bytes is among"
    lengths = tf.strings.length(files)
    long = tf.debugging.Assert(tf.reduce_all(lengths > 2), [said, lengths])
    with tf.control_dependencies([long]):
        start = tf.strings.substr(files, 0, 2)
    known = tf.debugging.Assert(tf.reduce_all(start == b"\xff\xd8"), [said, lengths])
    with tf.control_dependencies([known]):
        return tf.identity(files)


def finite(logits: tf.Tensor) -> tf.Tensor:
    """Returns logits after checking that they are finite."""
    numbers = tf.reduce_all(tf.math.is_finite(logits))
    message = "the network gives no finite numbers for this video; its weights or sizes are bad"
    with tf.control_dependencies([tf.debugging.Assert(numbers, [message])]):
        return tf.identity(logits)
