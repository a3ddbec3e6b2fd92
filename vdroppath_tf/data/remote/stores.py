"""Selects the store for a kind of URL, and says what to install if there is none."""

from __future__ import annotations

import functools
import importlib.util
import io
import warnings

import tensorflow as tf

from vdroppath_tf.data.remote.fsspec_store import FsspecStore
from vdroppath_tf.data.remote.gfile_store import GfileStore
from vdroppath_tf.data.remote.store import LocalStore, Store
from vdroppath_tf.data.remote.urls import shown
from vdroppath_tf.data.sources.container import VideoError

OBJECT_STORES = ("gs", "s3", "az")
FSSPEC = {"s3": "s3fs", "az": "adlfs", "gs": "gcsfs"}
"""Packages that read a scheme with any TensorFlow."""


@functools.lru_cache(maxsize=1)
def native_io() -> bool:
    """Returns whether tensorflow-io is installed and its file systems load with this TensorFlow.

    Its last release can also be installed with TensorFlow 2.18 and later; whether it works shows
    only in the schemes that it registers.
    """
    if importlib.util.find_spec("tensorflow_io") is None:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about libraries that did not load
        try:
            importlib.import_module("tensorflow_io")
        except (ImportError, AttributeError, NotImplementedError, tf.errors.OpError):
            return False
    return "s3" in tf.io.gfile.get_registered_schemes()


def store_name(scheme: str) -> str:
    """Returns the package that reads a scheme: of `FSSPEC`, tensorflow or tensorflow-io, or ""."""
    known = tf.io.gfile.get_registered_schemes()
    if scheme == "s3" and native_io():
        return "tensorflow-io"
    if importlib.util.find_spec(FSSPEC[scheme]) is not None:
        return FSSPEC[scheme]
    if scheme == "gs" and scheme in known:
        return "tensorflow"
    return "tensorflow-io" if native_io() and scheme in known else ""


@functools.lru_cache(maxsize=8)
def store_of(scheme: str) -> Store:
    """Returns the store that reads and writes a scheme; the empty scheme means local files.

    Raises:
        ValueError: If there is none; the message says what to install.
    """
    if scheme == "":
        return LocalStore()
    if scheme not in OBJECT_STORES:
        raise ValueError(
            f"{scheme}://: expected a local path, http://, https:// (reading only), gs://, s3:// "
            "or az://."
        )
    name = store_name(scheme)
    if name == FSSPEC[scheme]:
        return FsspecStore(scheme)
    if name:
        return GfileStore()
    raise ValueError(_missing(scheme))


def _missing(scheme: str) -> str:
    native = "the extra 'io' (tensorflow-io 0.37.1, with TensorFlow 2.16 or 2.17)"
    extra = "remote" if scheme == "s3" else f"remote-{scheme}"
    ways = f"the extra '{extra}' ({FSSPEC[scheme]}, any TensorFlow)"
    ways += "" if scheme == "gs" else f" or {native}"
    there = importlib.util.find_spec("tensorflow_io") is not None
    found = "its native part does not load" if there else "is not installed"
    return (
        f"{scheme}:// cannot be used here: it needs {ways}. Found: TensorFlow {tf.__version__}; "
        f"tensorflow-io {found}."
    )


def as_video_error(path: str, error: Exception) -> VideoError:
    """Converts a store's error to one message, without its own text, which may hold signatures."""
    if isinstance(error, FileNotFoundError | tf.errors.NotFoundError):
        return VideoError(f"{shown(path)}: does not exist. Check the path.")
    denied = (PermissionError, tf.errors.PermissionDeniedError, tf.errors.UnauthenticatedError)
    if isinstance(error, denied):
        return VideoError(f"{shown(path)}: access is denied. Check permissions and credentials.")
    if isinstance(error, io.UnsupportedOperation):
        return VideoError(f"{shown(path)}: is not a regular file. Expected a file.")
    reason = getattr(error, "strerror", None) if isinstance(error, OSError) else None
    return VideoError(
        f"{shown(path)}: cannot be used ({reason or type(error).__name__}). Check the path, the "
        "credentials and the connection."
    )
