"""The formats there are: their files, their extras, the forms of Keras that they take."""

from __future__ import annotations

import dataclasses
import importlib
import logging
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
        name: In ``--format``, and of the folder.
        file: Its main file.
        extra: Of this package, that brings what it needs; None where nothing is needed.
        forms: Of the folded network, see ``fold``.
        module: Which module of this room writes and loads it.
        batch: Clips in a batch of its files; None for any number.
    """

    name: str
    file: str
    extra: str | None = None
    forms: str = "3d"
    module: str = ""
    batch: int | None = None

    def needed(self, package: str) -> ModuleType:
        """A package of the extra; a ValueError that says how to install it where it is missing."""
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            return importlib.import_module(package)
        except ImportError as error:
            raise ValueError(
                f"The format {self.name!r} needs {package.partition('.')[0]}, which is not "
                f"installed ({error}). Install it: pip install 'vdroppath_tf[{self.extra}]'"
            ) from None
        finally:  # nncf takes the logging of the whole process for its own
            root.handlers[:] = handlers
            root.setLevel(level)


SAVED_MODEL = Format("saved_model", "saved_model.pb")
ONNX = Format("onnx", "model.onnx", "onnx", module="onnx_files")
# LiteRT's built-in operations have no 3D pools
LITERT = Format("litert", "model.tflite", "litert", forms="2d", module="litert_files", batch=1)
OPENVINO = Format("openvino", "model.xml", "openvino", module="openvino_files")
OPENVINO_INT8 = Format("openvino-int8", "model.xml", "openvino", module="openvino_files")

FORMATS: dict[str, Format] = {
    each.name: each for each in (SAVED_MODEL, ONNX, LITERT, OPENVINO, OPENVINO_INT8)
}
"""By name. A SavedModel lies in the folder that is written, the others in folders of theirs."""


def format_of(name: str) -> Format:
    """The format of that name.

    Raises:
        ValueError: If there is none; the nearest is offered.
    """
    if name not in FORMATS:
        raise unknown_name("format", name, FORMATS)
    return FORMATS[name]


def one_by_one(answer: Callable[[np.ndarray], Sequence[np.ndarray]]) -> Run:
    """What runs clips one after another, in a runtime that was set up for one clip.

    With a size that may change, the runtimes take twice the time; a batch saves none.

    Args:
        answer: Gives logits and probabilities of ``(1, time, height, width, channels)``.
    """

    def run(clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [answer(np.ascontiguousarray(clip[None])) for clip in clips]
        return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])

    return run
