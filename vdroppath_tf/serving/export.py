"""SavedModels that load with TensorFlow alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.files import replacing
from vdroppath_tf.names import named


@named
def export_saved_model(
    network: keras.Model,
    path: str | os.PathLike[str],
    *,
    labels: Sequence[str] | None = None,
    overwrite: bool = False,
) -> Path:
    """Writes a network as a SavedModel that needs nothing but TensorFlow to run.

    Signature ``serving_default``: ``video``, uint8 ``(batch, time, height, width, 3)``, RGB 0..255
    (2 channels where the network takes optical flow); gives ``probabilities`` (a softmax, or the
    sigmoids of a network of several classes a clip) and ``logits``,
    ``(batch, classes)`` float32. Signature ``labels``: no input; gives the names of the classes,
    ``labels``, string ``(classes,)``, and ``multi_label``, bool: whether a clip has any number of
    them. The graph itself refuses a ``video`` of another rank, of
    other sizes than the network's or fewer channels, too small for its pools, or without a clip,
    and answers that are no finite numbers.

    Args:
        network: a derived network (or a template, which then serves the strategy it runs).
        path: folder to write, such as ``served/1``.
        labels: a name for each class; their numbers where it is left out.
        overwrite: replace the SavedModel that is there; it stays until the new one is whole.

    Returns:
        The folder.

    Raises:
        ValueError: when labels and classes differ in number, or a name stands twice.
        FileExistsError: when the folder is there and ``overwrite`` is not set, or it holds anything
            but a SavedModel.
    """
    target = Path(path)
    names = _checked(labels, network.output_shape[-1])
    _check_free(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    # keras.export.ExportArchive would trace the network three times and walk all of its objects
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    signatures = {"serving_default": _serve(network), "labels": _labels(names, network)}
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with replacing(target) as folder:
        tf.saved_model.save(module, str(folder), signatures, options)
    return target


def _check_free(target: Path, overwrite: bool) -> None:
    """Stops where writing would destroy something that is no SavedModel, or is to stay."""
    if not target.exists():
        return
    if not overwrite:
        raise FileExistsError(f"{target} is there already. Pass overwrite=True, or another folder.")
    if not (target / "saved_model.pb").is_file():
        raise FileExistsError(
            f"{target} is there and holds no SavedModel, so it is not overwritten. Pass another "
            "folder, or remove it."
        )


def _serve(network: keras.Model) -> Any:
    clip = (None, *network.input_shape[1:])
    video = tf.TensorSpec(clip, tf.uint8, name="video")
    least = (1, *getattr(network, "least_clip", (1, 1, 1)), 1)

    @tf.function(input_signature=[video], autograph=False)
    def serve(video: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.control_dependencies([_refusal(video, clip, least)]):
            logits = tf.cast(network(tf.identity(video), training=False), tf.float32)
        numbers = tf.reduce_all(tf.math.is_finite(logits))
        message = "the network gives no finite numbers for this video; its weights or sizes are bad"
        with tf.control_dependencies([tf.debugging.Assert(numbers, [message])]):
            logits = tf.identity(logits)
        chances = tf.sigmoid if getattr(network, "multi_label", False) else tf.nn.softmax
        return {"logits": logits, "probabilities": chances(logits)}

    return serve


def _refusal(video: tf.Tensor, clip: Sequence[int | None], least: Sequence[int]) -> tf.Operation:
    """Stops the graph, when it runs, at a ``video`` of another shape than its signature's.

    A signature's shape is not enforced by who calls it. So the shape is read behind an operation
    that hides what the signature says of it, or else it would be folded into a constant.
    """
    hidden = tf.raw_ops.PlaceholderWithDefault(input=video, shape=tf.TensorShape(None))
    shape = tf.raw_ops.Shape(input=hidden)
    sizes = ", ".join(
        name if size is None else str(size)
        for name, size in zip(("batch", "time", "height", "width"), clip[:4], strict=True)
    )
    message = (
        f"video must be ({sizes}, {clip[4]}) and hold at least one clip of at least "
        f"{'one frame' if least[1] == 1 else f'{least[1]} frames'} and {least[2]} x {least[3]} "
        "pixels; received the shape"
    )
    rank = tf.debugging.Assert(tf.equal(tf.raw_ops.Size(input=shape), 5), [message, shape])
    with tf.control_dependencies([rank]):  # first, or else there would be no sizes to compare
        found = tf.identity(shape)
    enough = tf.reduce_all(found >= tf.constant(least))
    fixed = [axis for axis, size in enumerate(clip) if size is not None]
    same = tf.equal(tf.gather(found, fixed), tf.constant([clip[axis] for axis in fixed]))
    return tf.debugging.Assert(enough & tf.reduce_all(same), [message, shape])


def _labels(names: list[str], network: keras.Model) -> Any:
    several = bool(getattr(network, "multi_label", False))
    return tf.function(
        lambda: {"labels": tf.constant(names), "multi_label": tf.constant(several)},
        input_signature=[],
        autograph=False,
    )


def _checked(labels: Sequence[str] | None, classes: int) -> list[str]:
    names = [str(k) for k in range(classes)] if labels is None else [str(name) for name in labels]
    if len(names) != classes:
        raise ValueError(f"The network has {classes} classes. Received: {len(names)} labels.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Every class needs a name of its own. Twice: {twice}")
    return names
