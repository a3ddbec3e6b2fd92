"""Changes of colour and shape of a clip, with the operations of TensorFlow and Keras, on the CPU.

Nothing is drawn here: an `Operation` has its strength, so the result depends on nothing else.
Layers that draw a strength get a range of one value. Pixels are floats in 0..1 in between.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.augment import Operation

_UNIT = (0.0, 1.0)
_GREY = 0.5  # the colour outside a clip that is rotated or shifted


def apply_operations(clip: np.ndarray, operations: Sequence[Operation]) -> np.ndarray:
    """Applies operations to a clip one after another, alike to all frames.

    Args:
        clip: uint8 `(time, height, width, 3)`.
        operations: The operations, in order.

    Returns:
        uint8, of the same shape.
    """
    with tf.device("CPU:0"):
        pixels = tf.constant(np.ascontiguousarray(clip), tf.float32) / 255
        for operation in operations:
            pixels = tf.clip_by_value(_CHANGES[operation.name](pixels, operation.value), *_UNIT)
        return tf.cast(tf.round(pixels * 255), tf.uint8).numpy()


def _tall(change: Callable[[Any, float], Any]) -> Callable[[Any, float], Any]:
    """Turns a change of one image into a change of a clip, whose frames are stacked vertically.

    An image's mean, extremes or histogram are then computed once for the whole clip.
    """

    @functools.wraps(change)
    def changed(clip: Any, value: float) -> Any:
        time, height, width, channels = clip.shape
        picture = tf.reshape(clip, (time * height, width, channels))
        return tf.reshape(change(picture, value), clip.shape)

    return changed


@functools.lru_cache(maxsize=16)  # layers leak some memory, so they are reused
def _layer(kind: type[keras.layers.Layer], *arguments: Any, value_range: tuple[Any, Any]) -> Any:
    return kind(*arguments, value_range=value_range, dtype="float32")


def _auto_contrast(picture: Any, _: float) -> Any:
    layer = _layer(keras.layers.AutoContrast, value_range=_UNIT)
    return layer.transform_images(picture[None], None)[0]


def _equalize(picture: Any, _: float) -> Any:
    layer = _layer(keras.layers.Equalization, value_range=(0, 255))
    return layer.transform_images(tf.round(picture[None] * 255), None)[0] / 255


def _sharpness(clip: Any, factor: float) -> Any:
    # Keras doubles the value that it draws, here from a range of one: 0.5 leaves an image unchanged
    half = (factor / 2, factor / 2)
    layer = _layer(keras.layers.RandomSharpness, half, value_range=_UNIT)
    return layer.transform_images(clip, layer.get_random_transformation(clip, seed=0))


def _posterize(clip: Any, bits: float) -> Any:
    step = 2.0 ** round(bits)
    return tf.floor(tf.round(clip * 255) / step) * step / 255


def _solarize(clip: Any, share: float) -> Any:
    return tf.where(clip >= 1 - share, 1 - clip, clip) if share else clip


def _affine(clip: Any, rows: tuple[float, ...]) -> Any:
    """Samples each pixel (x, y), from the centre, at (a x + b y + c, d x + e y + f)."""
    a, b, c, d, e, f = rows
    x, y = (clip.shape[2] - 1) / 2, (clip.shape[1] - 1) / 2
    centred = (a, b, c + x - a * x - b * y, d, e, f + y - d * x - e * y, 0.0, 0.0)
    transform = tf.tile(tf.constant([centred]), (len(clip), 1))
    return keras.ops.image.affine_transform(
        clip,
        transform,
        interpolation="bilinear",
        fill_mode="constant",
        fill_value=_GREY,
        data_format="channels_last",
    )


def _rotate(clip: Any, degrees: float) -> Any:
    turn = math.radians(degrees)
    cos, sin = math.cos(turn), math.sin(turn)
    return _affine(clip, (cos, -sin, 0.0, sin, cos, 0.0))


_CHANGES: dict[str, Callable[[Any, float], Any]] = {
    "identity": lambda clip, _: clip,
    "brightness": tf.image.adjust_brightness,
    "scale_brightness": lambda clip, factor: clip * factor,
    "contrast": _tall(tf.image.adjust_contrast),
    "saturation": _tall(tf.image.adjust_saturation),
    "hue": _tall(tf.image.adjust_hue),
    "auto_contrast": _tall(_auto_contrast),
    "equalize": _tall(_equalize),
    "sharpness": _sharpness,
    "posterize": _posterize,
    "solarize": _solarize,
    "rotate": _rotate,
    "shear_x": lambda clip, x: _affine(clip, (1.0, x, 0.0, 0.0, 1.0, 0.0)),
    "shear_y": lambda clip, y: _affine(clip, (1.0, 0.0, 0.0, y, 1.0, 0.0)),
    "translate_x": lambda clip, x: _affine(clip, (1.0, 0.0, x * clip.shape[2], 0.0, 1.0, 0.0)),
    "translate_y": lambda clip, y: _affine(clip, (1.0, 0.0, 0.0, 0.0, 1.0, y * clip.shape[1])),
}
