"""Files of 2D weights to arrays by name: HDF5, .keras, safetensors."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import safetensors
import safetensors.numpy

from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.inflation.conventions import keras_network

Named = dict[str, np.ndarray]
Conventions = Sequence[Convention]


def read_safetensors(path: Path, network: str, conventions: Conventions) -> Named:
    """``layer.variable`` to array, floats as float32."""
    try:
        named = safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, struct.error, OSError, MemoryError) as error:
        raise ValueError(f"{path}: not a whole safetensors file ({error}). Get it again.") from None
    except (KeyError, TypeError) as error:  # bfloat16 and float8, which numpy does not know
        raise ValueError(
            f"{path}: holds numbers of a kind that numpy lacks ({error}). "
            "Convert them to float32 where they come from."
        ) from None
    return {name: _float32(value) for name, value in named.items()}


def _float32(value: np.ndarray) -> np.ndarray:
    return value if value.dtype.kind in "iub" else value.astype("float32")


def read_hdf5(path: Path, network: str, conventions: Conventions) -> Named:
    """``layer/variable`` to array, of a file as keras.applications downloads it or Keras writes."""
    try:
        with h5py.File(path, "r") as file:
            root = file.get("model_weights", file)  # whole models have the group
            if "layer_names" in root.attrs:
                return _by_layer(root, path)
            numbered = "layers" in file
            dense = file.get("layers/dense/vars/0")
            classes = None if dense is None else dense.shape[-1]
            stored = _count(file["layers"]) if numbered else 0
    except (OSError, KeyError) as error:
        raise ValueError(f"{path}: not a whole HDF5 file of weights ({error}).") from None
    if not numbered:
        raise ValueError(f"{path}: an HDF5 file, but not of the weights of a Keras model.")
    return _rebuilt(path, network, keras_network(network, conventions), classes, stored)


def _by_layer(root: Any, path: Path) -> Named:
    """The format of Keras 1 and 2, in which every weight has a name."""
    named: Named = {}
    for layer in _texts(root.attrs["layer_names"]):
        group = root[layer]
        for weight in _texts(group.attrs["weight_names"]):
            variable = weight.rsplit("/", 1)[-1].split(":")[0]
            # older networks have a "/" in the names of layers
            named[f"{layer.replace('/', '_')}/{variable}"] = _own(group[weight], path)
    return named


def _own(data: Any, path: Path) -> np.ndarray:
    """The array, unless it lies in another file: HDF5 can be made to read any file there is."""
    if data.external or data.is_virtual or data.file.filename != str(path):
        raise ValueError(f"{path}: {data.name} is kept in another file. Only whole files are read.")
    return np.asarray(data)


def _texts(attribute: Any) -> list[str]:
    return [text.decode() if isinstance(text, bytes) else str(text) for text in attribute]


def _count(group: Any) -> int:
    found: list[str] = []
    group.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") else None)
    return len(found)


def _rebuilt(
    path: Path,
    network: str,
    build: Callable[..., Any] | None,
    classes: int | None,
    stored: int,
) -> Named:
    """A ``.weights.h5`` of Keras 3 numbers its layers, so the network has to be there."""
    if build is None:
        raise ValueError(
            f"{path}: a file of Keras 3, which has numbers in place of names, and {network!r} is "
            "not in keras.applications. Load it into its own model, and pass that."
        )
    top: dict[str, Any] = {"include_top": classes is not None}
    if classes is not None:
        top["classes"] = classes
    model = build(weights=None, **top)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever does not fit is counted below
            model.load_weights(path)
    except (ValueError, KeyError) as error:
        stored = -1
        reason = str(error).splitlines()[0]
    else:
        reason = f"it holds {stored} weights, expected {len(model.weights)}"
    if stored != len(model.weights):
        raise ValueError(
            f"{path}: not the weights of keras.applications' {network} ({reason}). "
            "Pass those of the same network. Nothing was changed."
        )
    return {v.path: np.asarray(v.numpy()) for v in model.weights}


def read_keras(path: Path, network: str, conventions: Conventions) -> Named:
    """``layer/variable`` to array, of a model that ``model.save`` wrote."""
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path}: Keras cannot load this model ({reason}).") from None
    return {v.path: np.asarray(v.numpy()) for v in model.weights}
