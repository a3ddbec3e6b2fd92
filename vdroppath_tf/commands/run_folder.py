"""Reads the folder of `vdroppath train`."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdroppath_tf import layers, report, spaces, training
from vdroppath_tf.files import load_text, parse_json, read_text

if TYPE_CHECKING:
    import keras


class RunFolder:
    """A folder of `vdroppath train`; missing parts are None or empty, except the space.

    Args:
        path: The folder.

    Raises:
        ValueError: If the path is not a folder.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise ValueError(f"{path}: there is no such folder. Expected one of vdroppath train.")
        self.path = path

    @property
    def space(self) -> spaces.ProbabilitySpace:
        """The learned space.

        Raises:
            ValueError: If there is none, as after training one strategy stand-alone.
        """
        file = self.path / "space.json"
        if not file.is_file():
            raise ValueError(
                f"{file} is missing. Expected a folder in which vdroppath train has finished a "
                "template; with --strategy it trains a network without a space."
            )
        return spaces.ProbabilitySpace.load(file)

    @property
    def template(self) -> Path | None:
        """The trained template."""
        return self._file("template.keras")

    @cached_property
    def recipe(self) -> training.Recipe | None:
        """The recipe of the training."""
        file = self._file(training.RECIPE_FILE)
        return None if file is None else load_text(file, training.Recipe.from_json)

    @property
    def classes(self) -> int | None:
        """The number of classes."""
        file = self._file(training.LABELS_FILE)
        return None if file is None else len(training.read_labels(file))

    @property
    def clip_shape(self) -> tuple[int, int, int] | None:
        """Frames, height and width of its clips; None if they depend on the videos."""
        if self.recipe is None or self.recipe.evaluation.crop is None:
            return None
        sampling = self.recipe.evaluation
        return (sampling.frames, *sampling.crop_size)

    def history(self) -> list[Any] | None:
        """The drop probabilities after each epoch with gates."""
        file = self._file("history.json")
        if file is None:
            return None
        phase = "search" if self.recipe is None else self.recipe.search.name
        return report.read_history(file, phase) or None

    def settings(self) -> dict[str, str]:
        """The settings of the training, for a reader."""
        if self.recipe is None:
            return {}
        videos = self._videos()
        told = {}
        if videos is not None:
            told["training videos"] = f"{videos['videos']:,} of {videos['source']}"
        return {**told, **training.summary(self.recipe, self.num_videos)}

    @property
    def num_videos(self) -> int | None:
        """The number of training videos, N of Eq. 5; None if no run is described."""
        videos = self._videos()
        return None if videos is None else videos["videos"]

    def _file(self, name: str) -> Path | None:
        """Returns a file of the folder; None if nothing of that name is there.

        What is there and is no file, a folder or a pipe, is returned too: reading it names it.
        """
        file = self.path / name
        return file if os.path.lexists(file) else None

    def _videos(self) -> dict[str, Any] | None:
        file = self.path / "run.json"
        try:
            videos = parse_json(read_text(file))["training videos"]
            return {"videos": int(videos["videos"]), "source": str(videos["source"])}
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{file}: was not written by vdroppath train ({error}). Expected its run.json."
            ) from None


def prior_of(model: keras.Model, file: str) -> str:
    """Describes the strength of a template's prior, with N from its run's folder."""
    return layers.describe_prior(model, videos_of(file))


def videos_of(file: str) -> int | None:
    """Returns N, the training videos of the run in whose folder a model is; None if unknown."""
    try:
        return RunFolder(Path(file).parent).num_videos
    except ValueError:  # a foreign run.json
        return None
