"""Reads frames out of HDF5 files inside a TensorFlow graph, for `Dataset.map`.

The same files are accepted and refused as by `Hdf5Frames`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.data.sources.hdf5 import Hdf5Frames
from vdroppath_tf.names import named


def native_hdf5() -> bool:
    """Returns whether tensorflow-io's HDF5 operations load with this TensorFlow."""
    return _operations() is not None


@named
def hdf5_clip(file: Any, key: Any, indices: Any, *, native: bool = False) -> tf.Tensor:
    """Reads exactly the frames with these numbers out of an HDF5 file.

    Args:
        file: The path, a string or a scalar string tensor.
        key: The key of the data set or the group, such as `"/frames"`, see `Hdf5Frames`; a string
            or a scalar string tensor.
        indices: The frame numbers from 0, `(n,)`, in any order, with or without repetitions.
        native: Whether to read pixels with tensorflow-io's operations, which do not hold Python's
            lock while they read. They crash the process on damaged data inside a file with intact
            headers, and keep every file open: use them for trusted files only. Defaults to False:
            h5py reads.

    Returns:
        uint8 `(n, height, width, 3)`.

    Raises:
        ValueError: If `native` is set and tensorflow-io's operations do not load.
        VideoError: If the file, the key or a frame is missing, damaged, or of another kind; in a
            graph, this is a `tf.errors.InvalidArgumentError` with the same message.

    Example:
        ```python
        clips = tf.data.Dataset.range(0, 96, 16).map(
            lambda first: hdf5_clip("videos.h5", "/frames", first + tf.range(16, dtype=tf.int64))
        )
        ```
    """
    file, key = tf.convert_to_tensor(file), tf.convert_to_tensor(key)
    indices = tf.cast(indices, tf.int64)
    if native:
        frames = _native(file, key, indices)
    else:
        frames = _python(_read, [file, key, indices], tf.uint8)
    return tf.ensure_shape(frames, (indices.shape[0], None, None, 3))


def _python(function: Any, inputs: list[tf.Tensor], output: Any) -> Any:
    """Wraps a Python function as an operation; a VideoError becomes an InvalidArgumentError."""
    return tf.numpy_function(function, inputs, output, stateful=False)


def _native(file: tf.Tensor, key: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    operations = _operations()
    if operations is None:
        raise ValueError(
            "hdf5_clip(native=True) needs the extra 'io': tensorflow-io 0.37.1 with TensorFlow "
            f"2.16 or 2.17. Found: TensorFlow {tf.__version__}, and its operations do not load."
        )
    # h5py validates first, since what it refuses would crash the process in tensorflow-io.
    names, places, shape = _python(_places, [file, key, indices], (tf.string, tf.int64, tf.int64))

    def frame(name_and_place: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        name, place = name_and_place
        data = operations.io_hdf5_readable_read(
            input=file,
            shared=file,
            component=name,
            shape=shape,
            start=tf.reshape(tf.maximum(place, 0), [1]),
            stop=tf.reshape(tf.where(place < 0, place, place + 1), [1]),
            dtype=tf.uint8,
            container="vdroppath",
        )
        return tf.reshape(data, shape[-3:])

    spec = tf.TensorSpec((None, None, 3), tf.uint8)
    names.set_shape([None])
    places.set_shape([None])
    shape.set_shape([None])
    return tf.map_fn(frame, (names, places), fn_output_signature=spec)


def _read(file: bytes, key: bytes, indices: np.ndarray) -> np.ndarray:
    return _frames(file, key).read(indices)


def _places(file: bytes, key: bytes, indices: np.ndarray) -> tuple[np.ndarray, ...]:
    names, places, shape = _frames(file, key).places(indices)
    return names, np.asarray(places, np.int64), np.asarray(shape, np.int64)


def _frames(file: bytes, key: bytes) -> Hdf5Frames:
    return Hdf5Frames(os.path.abspath(_text(file)), _text(key))


def _text(value: Any) -> str:
    """Decodes a string tensor from NumPy: bytes in a graph, an array of them outside."""
    return np.asarray(value, object).item().decode()


@functools.lru_cache(maxsize=1)
def _operations() -> Any:
    """Returns tensorflow-io's operations; None if they do not load."""
    if importlib.util.find_spec("tensorflow_io") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries that did not load
        try:
            operations = importlib.import_module("tensorflow_io.python.ops").core_ops
            operations.io_hdf5_readable_read  # noqa: B018  (the library is loaded only here)
        except (ImportError, AttributeError, NotImplementedError, tf.errors.OpError):
            return None
    return operations
