"""What a served graph refuses, when it runs, in a message that names the input."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

_AXES = ("batch", "time", "height", "width")


def checked_clips(
    clips: tf.Tensor, name: str, sizes: Sequence[int | None], least: Sequence[int]
) -> tf.Tensor:
    """Clips, or videos, that go on only if they have the right shape.

    A signature's shape is not enforced by who calls it. So the shape is read behind an operation
    that hides what the signature says of it, or else it would be folded into a constant.

    Args:
        clips: ``(batch, time, height, width, channels)``.
        name: Of the input.
        sizes: Frames, height, width and channels; None for an open size.
        least: The least number of frames, height and width.
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
    with tf.control_dependencies([rank]):  # first, or else there would be no sizes to compare
        found = tf.identity(shape)
    enough = tf.reduce_all(found >= tf.constant((1, *least, 1)))
    fixed = [axis for axis, size in enumerate(every) if size is not None]
    same = tf.equal(tf.gather(found, fixed), tf.constant([every[axis] for axis in fixed]))
    done = tf.debugging.Assert(enough & tf.reduce_all(same), [message, shape])
    with tf.control_dependencies([done]):
        return tf.identity(clips)


def checked_pictures(jpegs: tf.Tensor, name: str, frames: int) -> tf.Tensor:
    """JPEG files ``(batch, time)`` that go on only if they are some, of ``frames`` or more."""
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
    said = f"{name} holds something that is no JPEG file; its length in bytes is among"
    lengths = tf.strings.length(files)
    long = tf.debugging.Assert(tf.reduce_all(lengths > 2), [said, lengths])
    with tf.control_dependencies([long]):
        start = tf.strings.substr(files, 0, 2)
    known = tf.debugging.Assert(tf.reduce_all(start == b"\xff\xd8"), [said, lengths])
    with tf.control_dependencies([known]):
        return tf.identity(files)


def finite(logits: tf.Tensor) -> tf.Tensor:
    """Logits that go on only if they are finite numbers."""
    numbers = tf.reduce_all(tf.math.is_finite(logits))
    message = "the network gives no finite numbers for this video; its weights or sizes are bad"
    with tf.control_dependencies([tf.debugging.Assert(numbers, [message])]):
        return tf.identity(logits)
