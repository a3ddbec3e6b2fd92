"""Frames out of HDF5 archives inside a TensorFlow graph, for `Dataset.map`.

Two layouts: one data set `(time, height, width, 3)`, or a group with one data set
`(height, width, 3)` for each frame, in the order of their names (the authors' archives).
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import re
import warnings
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import tensorflow as tf

from .container import VideoError, regular_file

MAX_FRAME_BYTES = 1 << 28


def native_hdf5() -> bool:
    """Whether tensorflow-io's HDF5 operations load with this TensorFlow."""
    return _operations() is not None


def hdf5_clip(file: Any, key: Any, indices: Any, *, native: bool = False) -> tf.Tensor:
    """Exactly the frames with these numbers of an HDF5 archive.

    Args:
        file: path, a string or a scalar string tensor.
        key: of the data set or the group, such as `"/frames"`; string or scalar string tensor.
        indices: frame numbers from 0, `(n,)`, any order, repeats allowed.
        native: read with tensorflow-io's operations, which need no Python lock while they read.
            They end the whole process at damaged data inside a file whose outside is sound, and
            keep every file open: for archives of your own. By default h5py reads.

    Returns:
        uint8 `(n, height, width, 3)`.

    Raises:
        ValueError: `native` where tensorflow-io's operations do not load.
        VideoError: the file, the key or a frame is not there, damaged, or of another kind; in a
            graph it is a `tf.errors.InvalidArgumentError` with this message.
    """
    file, key = tf.convert_to_tensor(file), tf.convert_to_tensor(key)
    indices = tf.cast(indices, tf.int64)
    if native:
        frames = _native(file, key, indices)
    else:
        frames = _python(_read, [file, key, indices], tf.uint8)
    return tf.ensure_shape(frames, (indices.shape[0], None, None, 3))


def _python(function: Any, inputs: list[tf.Tensor], output: Any) -> Any:
    """A Python function as an operation: in a graph, VideoError becomes InvalidArgumentError."""
    return tf.numpy_function(function, inputs, output, stateful=False)


def _native(file: tf.Tensor, key: tf.Tensor, indices: tf.Tensor) -> tf.Tensor:
    operations = _operations()
    if operations is None:
        raise ValueError(
            "hdf5_clip(native=True) needs the extra 'io': tensorflow-io 0.37.1 with TensorFlow "
            f"2.16 or 2.17. Found: TensorFlow {tf.__version__}, and its operations do not load."
        )
    # h5py looks first: what it refuses would end the process in there
    names, places, shape = _python(_plan, [file, key, indices], (tf.string, tf.int64, tf.int64))

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


def _plan(file: bytes, key: bytes, indices: np.ndarray) -> tuple[np.ndarray, ...]:
    """Data set and place in it (-1: all of it) of each frame, and the data sets' shape."""
    with _opened(file, key, indices) as (found, frames):
        if frames is None:
            names, places, shape = [found.name] * len(indices), indices, found.shape
        else:
            names = [frames[index].name for index in indices]
            places, shape = np.full(len(indices), -1), frames[0].shape
    return np.array(names, object), np.asarray(places, np.int64), np.asarray(shape, np.int64)


def _read(file: bytes, key: bytes, indices: np.ndarray) -> np.ndarray:
    with _opened(file, key, indices) as (found, frames):
        distinct, places = np.unique(indices, return_inverse=True)
        try:
            if frames is None:
                return found[distinct][places]
            return np.stack([frames[index][()] for index in distinct])[places]
        except OSError as error:
            raise VideoError(
                f"{_text(file)}: a frame of {_text(key)} is damaged ({error}). Copy or write "
                "the archive again."
            ) from None


@contextlib.contextmanager
def _opened(
    file: bytes, key: bytes, indices: np.ndarray
) -> Iterator[tuple[h5py.Dataset | h5py.Group, list[h5py.Dataset] | None]]:
    """What the key names, after a look at it; with one data set a frame, these in order."""
    path, name = _text(file), _text(key)
    regular_file(path)
    try:
        archive = h5py.File(path, "r")
    except OSError as error:
        raise VideoError(f"{path}: is damaged or no HDF5 file ({error}).") from None
    with archive:
        found = archive.get(name)
        if isinstance(found, h5py.Dataset):
            _check(path, found, dimensions=4)
            _check_range(path, name, indices, len(found))
            yield found, None
        elif isinstance(found, h5py.Group):
            names = sorted(found, key=_number)
            _check_range(path, name, indices, len(names))
            frames = [found[each] for each in names]
            for index in np.unique(indices):
                _check(path, frames[index], dimensions=3)
            shapes = {frames[index].shape for index in {0, *indices.tolist()}}
            if len(shapes) != 1:
                raise VideoError(f"{path}: frames of {name} differ in size: {sorted(shapes)[:3]}.")
            yield found, frames
        else:
            raise VideoError(f"{path}: holds no {name!r}. It holds {sorted(archive)[:8]}.")


def _check(path: str, data: Any, *, dimensions: int) -> None:
    """Frames of bytes, in this very file, of a size that can be meant."""
    if (
        not isinstance(data, h5py.Dataset)
        or data.dtype != np.uint8
        or data.ndim != dimensions
        or data.shape[-1] != 3
    ):
        found = f"{data.dtype} {data.shape}" if isinstance(data, h5py.Dataset) else "a group"
        expected = "(time, height, width, 3)" if dimensions == 4 else "(height, width, 3)"
        raise VideoError(f"{path}: expected uint8 {expected} in {data.name}. Found: {found}.")
    if data.external or data.is_virtual or data.file.filename != path:
        raise VideoError(f"{path}: {data.name} lies in another file. Copy it into this one.")
    if not 0 < np.prod(data.shape[-3:], dtype=float) <= MAX_FRAME_BYTES:
        raise VideoError(
            f"{path}: frames of {data.name} are {data.shape[-2]}x{data.shape[-3]} pixels; expected "
            f"1 to {MAX_FRAME_BYTES} bytes."
        )


def _check_range(path: str, name: str, indices: np.ndarray, count: int) -> None:
    for index in indices.tolist():
        if not 0 <= index < count:
            raise VideoError(f"{path}: has no frame {index} in {name}; it has {count} frames.")


def _text(value: Any) -> str:
    """A string tensor as NumPy has it: bytes in a graph, an array of them outside."""
    return np.asarray(value, object).item().decode()


def _number(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts frame2 before frame10."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((int(part), "") if part.isdecimal() else (0, part) for part in parts)


@functools.lru_cache(maxsize=1)
def _operations() -> Any:
    """tensorflow-io's operations; None where they do not load."""
    if importlib.util.find_spec("tensorflow_io") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the libraries that did not load
        try:
            operations = importlib.import_module("tensorflow_io.python.ops").core_ops
            operations.io_hdf5_readable_read  # noqa: B018  looked up in the library only now
        except (ImportError, AttributeError, NotImplementedError, tf.errors.OpError):
            return None
    return operations
