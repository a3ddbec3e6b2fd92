"""Checkpoints of a run: whole or not there, and enough of them to go on exactly."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from vdroppath_tf.files import check_format, replacing, write_json, write_text
from vdroppath_tf.names import named

FORMAT = "vdroppath_tf.run/3"
"""Of ``run.json`` and of each checkpoint's state."""
STATE = "state.json"  # written last: a folder without it is not whole


@named
@dataclass(frozen=True)
class Position:
    """How far a run is: epochs finished of a phase, and what was logged up to there."""

    phase: int
    epochs: int
    history: tuple[dict[str, Any], ...] = ()


@named
class CheckpointStore:
    """The last checkpoints of one run in a folder.

    Args:
        folder: The folder of the run; it is made where it is missing.
        run: JSON text that describes the run; a folder of another run is refused.
        keep: How many checkpoints stay. Defaults to 2.

    Raises:
        ValueError: If the folder holds another run.
    """

    def __init__(self, folder: Path, run: str, *, keep: int = 2) -> None:
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / "run.json"
        if mark.exists():
            check_same(str(mark), mark.read_text(encoding="utf-8"), run)
        else:
            write_text(mark, run)

    def save(self, model: keras.Model, position: Position) -> None:
        """Writes a checkpoint beside the others, then gives it its name, then removes old ones."""
        name = f"checkpoint-{position.phase}-{position.epochs:05d}"
        with replacing(self.folder / name, shared=False) as parts:
            parts.mkdir()
            _trackable(model).write(str(parts / "weights"))
            state = {"format": FORMAT, "sizes": _sizes(parts), **asdict(position)}
            write_json(parts / STATE, state)
        for old, _ in self._whole()[: -self.keep]:
            shutil.rmtree(old)

    def position(self) -> Position:
        """Where the last whole checkpoint stands; the beginning where there is none."""
        whole = self._whole()
        if not whole:
            return Position(0, 0)
        _, state = whole[-1]
        return Position(state["phase"], state["epochs"], tuple(state["history"]))

    def restore(self, model: keras.Model) -> None:
        """Reads the last whole checkpoint into a compiled model, completely."""
        folder, _ = self._whole()[-1]
        status = _trackable(model).read(str(folder / "weights"))
        status.assert_existing_objects_matched()

    def _whole(self) -> list[tuple[Path, dict[str, Any]]]:
        """Whole checkpoints and their states, the last one last; a damaged one is passed over."""
        found = [(folder, _state(folder)) for folder in sorted(self.folder.glob("checkpoint-*"))]
        return [(folder, state) for folder, state in found if state is not None]


@named
def check_same(mark: str, found: str, run: str) -> None:
    """Raises where the text found at a mark describes another run.

    Args:
        mark: The file the text was found in, for the error.
        found: The text.
        run: JSON text that describes the run that is to go on.

    Raises:
        ValueError: If they differ, naming what differs.
    """
    if found == run:
        return
    try:
        old, new = json.loads(found), json.loads(run)
        other = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    except (AttributeError, TypeError, ValueError):
        old, other = {}, ["everything: this is no run of vdroppath_tf"]
    if "format" in other and "recipe" in old:
        raise ValueError(
            f"{mark}: another version of vdroppath_tf began this run (format {old.get('format')}; "
            f"expected {FORMAT!r}). Finish it with that version, or pass a new folder to start "
            "anew. The models and spaces of a finished run can be read all the same."
        )
    raise ValueError(
        f"{mark}: the folder holds another run; what differs: {', '.join(other)}. Pass a new "
        "folder to start anew, or the same settings (and a model as new as then) to go on."
    )


def _state(folder: Path) -> dict[str, Any] | None:
    """The state of a checkpoint; None where it, or a file it names, is not whole."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = state.get("format") if isinstance(state, dict) else state
    older = "Go on with the version that wrote it, or pass a new folder to start anew."
    try:
        check_format(found, FORMAT, older)
    except ValueError as error:
        raise ValueError(f"{folder / STATE}: {error}") from None
    files = _sizes(folder)
    whole = all(files.get(name) == size for name, size in state["sizes"].items())
    return state if whole else None


def _sizes(folder: Path) -> dict[str, int]:
    """Name and size in bytes of each file."""
    return {file.name: file.stat().st_size for file in folder.iterdir()}


def _trackable(model: keras.Model) -> tf.train.Checkpoint:
    """Every weight by its path, the built optimizer and the seeds.

    Not the model itself: TensorFlow does not look into the lists of layers that Keras' layers hold,
    so it would leave out what a fusion layer's batch norms have measured, and raise nothing.
    """
    seeds = [variable.value for variable in model.variables if "seed" in variable.path]
    weights = {weight.path: weight for weight in model.weights}
    return tf.train.Checkpoint(weights=weights, optimizer=model.optimizer, seeds=seeds)
