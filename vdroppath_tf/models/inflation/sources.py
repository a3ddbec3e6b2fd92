"""The weights of a 2D network as plain arrays, from a model or from a file; never from a pickle."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vdroppath_tf.files import open_regular
from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.inflation.conventions import respelt, with_known
from vdroppath_tf.models.inflation.source_files import read_hdf5, read_keras, read_safetensors

READERS = {
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".keras": read_keras,
    ".safetensors": read_safetensors,
}
PICKLES = (".pth", ".pt", ".pkl", ".pickle", ".bin", ".ckpt", ".tar", ".joblib")


@dataclass(frozen=True)
class Source:
    """Weights of a 2D network.

    Attributes:
        origin: file or model, for messages.
        weights: name, as today's networks spell it, to array in the source's own layout.
    """

    origin: str
    weights: dict[str, np.ndarray]


def read_source(weights: Any, network: str, convention: Convention | None = None) -> Source:
    """The weights of a ``keras.Model`` or of a file.

    Args:
        weights: the model, or the file's path.
        network: row of the network that they are for, such as ``"resnet50"``.
        convention: of the weights, where it is none of the families'.

    Raises:
        ValueError: when it is no such file: a pickle, damaged, of a format that is not read.
        FileNotFoundError: when there is no such file.
    """
    conventions = with_known(convention)
    if isinstance(weights, keras.Model):
        named = {v.path: np.asarray(v.numpy()) for v in weights.weights}
        return _source(f"the model {weights.name!r}", named, conventions)
    if not isinstance(weights, (str, os.PathLike)):
        raise ValueError(
            "Expected a keras.Model or the path of a weight file. "
            f"Received: {type(weights).__name__}"
        )
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: there is no such weight file. To have weights downloaded, pass the model: "
            'keras.applications.ResNet50(weights="imagenet"), for one.'
        )
    _refuse_pickles(path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path}: weights are read from {', '.join(READERS)}, by the file's ending. "
            "Rename the file if it is one of these, or pass the keras.Model itself."
        )
    return _source(str(path), reader(path, network, conventions), conventions)


def _source(origin: str, named: dict[str, np.ndarray], conventions: Sequence[Convention]) -> Source:
    weights = {respelt(name, conventions): value for name, value in named.items()}
    if len(weights) < len(named):
        raise ValueError(f"{origin}: two weights stand for the same one. {_some(named)}")
    broken = [name for name, value in weights.items() if not _finite(value)]
    if broken:
        raise ValueError(f"{origin}: holds numbers that are not finite. {_some(broken)}")
    return Source(origin, weights)


def _finite(value: np.ndarray) -> bool:
    return bool(np.isfinite(value).all())


def _some(names: Iterable[str]) -> str:
    found = list(names)
    return f"Received: {', '.join(found[:4])}{', ...' if len(found) > 4 else ''}"


def _refuse_pickles(path: Path) -> None:
    """A pickle runs code when it is loaded, whatever its name: no part of one is read."""
    if path.suffix.lower() not in PICKLES and not _is_pickle(path):
        return
    raise ValueError(
        f"{path}: PyTorch's files are pickles, which can run code when they are loaded: they are "
        "not read. Where you trust the file, convert it with PyTorch: "
        "safetensors.torch.save_file(torch.load(path, weights_only=True), 'weights.safetensors'), "
        "and pass that."
    )


def _is_pickle(path: Path) -> bool:
    with open_regular(path) as file:
        head = file.read(9)
    # safetensors begin with the length of their header, which may look like a pickle's first bytes
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return head[8:9] != b"{"
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".pkl") for name in archive.namelist())
