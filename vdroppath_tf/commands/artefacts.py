"""Loads what can classify videos: a ``.keras`` network or an exported artefact."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import logging

from vdroppath_tf import scoring, training
from vdroppath_tf.serving.version_folders import newest_version

if TYPE_CHECKING:
    from vdroppath_tf.serving.runtime import Artefact


class KerasNetwork:
    """A ``.keras`` file with the interface of exported artefacts: it returns probabilities.

    Attributes:
        answer: Callable, ``scoring.probabilities_of`` the network.

    Args:
        path: The file.

    Raises:
        ValueError: See ``training.load_model``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        model, recipe, self.labels = training.load_model(path)
        self.sampling = recipe.evaluation  # the same that vdroppath export stores
        self.channels = int(model.input_shape[-1])
        self.multi_label = bool(getattr(model, "multi_label", False))
        self.answer = scoring.probabilities_of(model)


def open_artefact(path: str) -> Any:
    """Loads a ``.keras`` file or an exported artefact.

    Raises:
        ValueError: If it is neither.
    """
    if Path(path).is_file():
        return KerasNetwork(path)
    return open_exported(path)[0]


def open_exported(path: str) -> tuple[Artefact, str]:
    """Loads the newest version in a folder of versions, and logs it; else the folder itself.

    Returns:
        The loaded network, and the folder of the version.

    Raises:
        ValueError: See ``serving.load_artefact``.
    """
    from vdroppath_tf.serving.runtime import load_version  # it imports numpy: not for --help

    newest = newest_version(Path(path))
    if newest != Path(path):
        logging.info("%s: the newest version in it is used, %s", path, newest)
        path = str(newest)
    return load_version(newest), path
