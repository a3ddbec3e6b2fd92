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
    (2 channels where the network takes optical flow); gives ``probabilities`` and ``logits``,
    ``(batch, classes)`` float32. Signature ``labels``: no input; gives the names of the classes,
    ``labels``, string ``(classes,)``. An empty batch is refused.

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
    signatures = {"serving_default": _serve(network), "labels": _labels(names)}
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

    @tf.function(input_signature=[video], autograph=False)
    def serve(video: tf.Tensor) -> dict[str, tf.Tensor]:
        message = "video must hold at least one clip of at least one frame"
        enough = tf.debugging.assert_greater(tf.reduce_min(tf.shape(video)), 0, message)
        with tf.control_dependencies([enough]):
            logits = tf.cast(network(tf.identity(video), training=False), tf.float32)
        return {"logits": logits, "probabilities": tf.nn.softmax(logits)}

    return serve


def _labels(names: list[str]) -> Any:
    return tf.function(lambda: {"labels": tf.constant(names)}, input_signature=[], autograph=False)


def _checked(labels: Sequence[str] | None, classes: int) -> list[str]:
    names = [str(k) for k in range(classes)] if labels is None else [str(name) for name in labels]
    if len(names) != classes:
        raise ValueError(f"The network has {classes} classes. Received: {len(names)} labels.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Every class needs a name of its own. Twice: {twice}")
    return names
