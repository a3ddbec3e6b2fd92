"""The warm-up file next to a model, which TensorFlow Serving answers before its first client."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from vdroppath_tf.serving.beside import EXTRA

WARMUP_FILE = "tf_serving_warmup_requests"
# Numbers of fields in TensorFlow Serving's messages: PredictionLog, PredictLog, PredictRequest,
# ModelSpec
_PREDICT_LOG, _REQUEST, _SPEC, _INPUTS, _SIGNATURE = 6, 1, 1, 2, 3
_KEY, _VALUE = 1, 2  # fields of a map's entry


def write_warmup(folder: Path, video: np.ndarray) -> None:
    """Writes one request to ``serving_default`` as a TFRecord of ``PredictionLog``.

    Args:
        folder: The folder of the SavedModel.
        video: uint8 ``(batch, time, height, width, channels)``.
    """
    tensor = tf.make_tensor_proto(video).SerializeToString()
    entry = _field(_KEY, b"video") + _field(_VALUE, tensor)
    request = _field(_SPEC, _field(_SIGNATURE, b"serving_default")) + _field(_INPUTS, entry)
    path = folder / EXTRA / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as file:
        file.write(_field(_PREDICT_LOG, _field(_REQUEST, request)))


def _field(number: int, content: bytes) -> bytes:
    """Encodes a field of bytes in the format of protocol buffers."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
