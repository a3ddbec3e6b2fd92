"""Keras' own files of weights, which hold them by their order: whose order it is stands in them.

Keras numbers the layers of a class as they come, and loads number by number. A template and a
derived network have their layers in different orders, some of which have kernels of one shape.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

_NAME, _PLACE = "strategy", "vars/strategy"
_TEMPLATE = "a template"


def strategy_mark(architecture: Mapping[str, Any] | None) -> dict[str, np.ndarray]:
    """What a model adds to its weights: the strategy whose paths it has, as bytes of text."""
    if architecture is None:
        return {}
    return {_NAME: np.frombuffer(_text(architecture).encode(), "uint8")}


def _text(architecture: Mapping[str, Any]) -> str:
    return str(architecture["strategy"] or _TEMPLATE)


def check_mark(store: Mapping[str, Any], architecture: Mapping[str, Any] | None) -> None:
    """ValueError if weights are those of another strategy's network; older files do not say."""
    if _NAME not in store or architecture is None:
        return
    held, own = bytes(np.asarray(store[_NAME], "uint8")).decode(), _text(architecture)
    if held != own:
        raise ValueError(
            f"These weights are those of {_shown(held)}, and this is {_shown(own)}: "
            "Keras loads weights by the order of layers, which differs, so that some would come "
            "into each other's place. Load them into a network of their own kind; from there "
            "vdroppath_tf.derive and vdroppath_tf.models.copy_weights move them by name."
        )


def _shown(text: str) -> str:
    return text if text == _TEMPLATE else f"a network of the strategy {text[:80]!r}"


def check_file(path: Any, architecture: Mapping[str, Any] | None) -> None:
    """``check_mark`` of a file, before any of its weights is loaded."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
    if str(text).endswith(".h5") and os.path.isfile(text):
        with h5py.File(text, "r") as file:
            if _PLACE in file:
                check_mark({_NAME: file[_PLACE][()]}, architecture)
