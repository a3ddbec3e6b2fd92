"""The export formats: their files, their extras, and the forms of folded networks they take."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import os
from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from vdroppath_tf.names import unknown_name

Run = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Logits and probabilities of clips."""


@dataclasses.dataclass(frozen=True)
class Format:
    """A format of exported networks.

    Attributes:
        name: The name in ``--format`` and of the folder.
        file: The main file.
        extra: The extra of this package that installs what it needs; None if nothing is needed.
        forms: The form of the folded network, see ``fold``.
        depthwise_forms: The form of a network with depthwise convolutions; None for ``forms``.
        module: The module of this room that writes and loads it.
        batch: The number of clips in a batch of its files; None for any number.
        steps: The steps of the fast form that its runtime gains from.
    """

    name: str
    file: str
    extra: str | None = None
    forms: str = "3d"
    depthwise_forms: str | None = None
    module: str = ""
    batch: int | None = None
    steps: tuple[str, ...] = ()

    def forms_of(self, depthwise: bool) -> str:
        """Returns the form of a folded network, with or without depthwise convolutions."""
        return self.depthwise_forms or self.forms if depthwise else self.forms

    def needed(self, package: str) -> ModuleType:
        """Imports a package of the extra, or raises a ValueError that says how to install it."""
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            return importlib.import_module(package)
        except ImportError as error:
            raise ValueError(
                f"The format {self.name!r} needs {package.partition('.')[0]}, which is not "
                f"installed ({error}). Install it: pip install 'vdroppath_tf[{self.extra}]'"
            ) from None
        finally:  # nncf changes the logging of the whole process
            root.handlers[:] = handlers
            root.setLevel(level)


SAVED_MODEL = Format("saved_model", "saved_model.pb")
# ONNX Runtime's 2D convolutions are faster than its 3D ones.
ONNX = Format("onnx", "model.onnx", "onnx", forms="2d", module="onnx_files")
# LiteRT's built-in operations include no 3D pools.
LITERT = Format("litert", "model.tflite", "litert", forms="2d", module="litert_files", batch=1)
# OpenVINO merges norms, sums and kernels by itself.
OPENVINO = Format(
    "openvino", "model.xml", "openvino", module="openvino_files", steps=("minimal_filtering",)
)
# 3D convolutions of 8 bits are faster, but not between depthwise ones, which are of frames: each
# change from clips to frames goes through single precision and another order in memory.
OPENVINO_INT8 = Format(
    "openvino-int8", "model.xml", "openvino", depthwise_forms="2d", module="openvino_files"
)

FORMATS: dict[str, Format] = {
    each.name: each for each in (SAVED_MODEL, ONNX, LITERT, OPENVINO, OPENVINO_INT8)
}
"""The formats by name. A SavedModel lies in the exported folder, the others in sub-folders."""


def format_of(name: str) -> Format:
    """Returns the format of this name.

    Raises:
        ValueError: If there is none; the message suggests the nearest.
    """
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    return FORMATS[name]


def usable_cores() -> int:
    """Returns how many cores this process may use: fewer than the machine has where it is bound.

    Runtimes that count the cores of the machine instead start threads that wait for each other.
    """
    return len(os.sched_getaffinity(0))


def one_by_one(answer: Callable[[np.ndarray], Sequence[np.ndarray]]) -> Run:
    """Returns a function that runs clips one after another, for a runtime set up for one clip.

    With a variable size, the runtimes take twice as long; a larger batch would save nothing.

    Args:
        answer: Returns logits and probabilities for ``(1, time, height, width, channels)``.
    """

    def run(clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [answer(np.ascontiguousarray(clip[None])) for clip in clips]
        return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])

    return run
