"""What `vdroppath train` leaves in a run's folder, read again."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdroppath_tf import layers, report, spaces, training
from vdroppath_tf.files import load_text, read_text

if TYPE_CHECKING:
    import keras


class RunFolder:
    """A folder of `vdroppath train`; what it lacks is None or empty, but a space it must have.

    Args:
        path: The folder.

    Raises:
        ValueError: If it is no folder.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise ValueError(f"{path}: there is no such folder. Expected one of vdroppath train.")
        self.path = path

    @property
    def space(self) -> spaces.ProbabilitySpace:
        """The learned space.

        Raises:
            ValueError: If there is none, as where one strategy was trained on its own.
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
        file = self.path / "template.keras"
        return file if file.is_file() else None

    @cached_property
    def recipe(self) -> training.Recipe | None:
        """What it was trained by."""
        file = self.path / training.RECIPE_FILE
        return load_text(file, training.Recipe.from_json) if file.is_file() else None

    @property
    def classes(self) -> int | None:
        """How many there are."""
        file = self.path / training.LABELS_FILE
        return len(training.read_labels(file)) if file.is_file() else None

    @property
    def clip_shape(self) -> tuple[int, int, int] | None:
        """Frames, height and width of its clips; None where only the videos say."""
        if self.recipe is None or self.recipe.evaluation.crop is None:
            return None
        sampling = self.recipe.evaluation
        return (sampling.frames, *sampling.crop_size)

    def history(self) -> list[Any] | None:
        """Drop probabilities after each epoch with gates."""
        file = self.path / "history.json"
        if not file.is_file():
            return None
        phase = "search" if self.recipe is None else self.recipe.search.name
        return report.read_history(file, phase) or None

    def settings(self) -> dict[str, str]:
        """How it was trained, for a reader."""
        if self.recipe is None:
            return {}
        videos = self._videos()
        told = {}
        if videos is not None:
            told["training videos"] = f"{videos['videos']:,} of {videos['source']}"
        return {**told, **training.summary(self.recipe, self.num_videos)}

    @property
    def num_videos(self) -> int | None:
        """How many videos it was trained on, N of Eq. 5; None where no run is described."""
        videos = self._videos()
        return None if videos is None else videos["videos"]

    def _videos(self) -> dict[str, Any] | None:
        file = self.path / "run.json"
        try:
            videos = json.loads(read_text(file))["training videos"]
            return {"videos": int(videos["videos"]), "source": str(videos["source"])}
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{file}: is none that vdroppath train wrote ({error}). Expected its run.json."
            ) from None


def prior_of(model: keras.Model, file: str) -> str:
    """The strength of a template's prior in words, with N of the run whose folder it lies in."""
    try:
        videos = RunFolder(Path(file).parent).num_videos
    except ValueError:  # a run.json of something else
        videos = None
    return layers.describe_prior(model, videos)
