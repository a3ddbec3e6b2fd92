"""What a command can ask for the classes of videos: a network, or what one was exported as."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vdroppath_tf import scoring, serving, training


class KerasNetwork:
    """A ``.keras`` file as the artefacts of ``vdroppath export`` are: it gives probabilities.

    Attributes:
        answer: Callable, ``scoring.probabilities_of`` the network.

    Args:
        path: The file.

    Raises:
        ValueError: See ``training.load_model``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        model, recipe, self.labels = training.load_model(path)
        self.sampling = recipe.evaluation  # as vdroppath export keeps it
        self.channels = int(model.input_shape[-1])
        self.multi_label = bool(getattr(model, "multi_label", False))
        self.answer = scoring.probabilities_of(model)


def open_artefact(path: str) -> Any:
    """A ``.keras`` file or an exported artefact, loaded.

    Raises:
        ValueError: If it is neither.
    """
    if Path(path).is_file():
        return KerasNetwork(path)
    return serving.load_artefact(path)
