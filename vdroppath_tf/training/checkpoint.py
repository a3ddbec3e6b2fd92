"""Checkpoints of a run: whole or not there, and enough of them to go on exactly."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from vdroppath_tf.files import (
    check_format,
    read_text,
    replacing,
    sha256_of,
    write_json,
    write_text,
)
from vdroppath_tf.names import named

FORMAT = "vdroppath_tf.run/5"
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
        self._states: dict[str, dict[str, Any] | None] = {}  # of checkpoints that were looked at
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / "run.json"
        if mark.exists():
            check_same(str(mark), read_text(mark), run)
        else:
            write_text(mark, run)

    def save(self, model: keras.Model, position: Position) -> None:
        """Writes a checkpoint beside the others, then gives it its name, then removes old ones."""
        name = f"checkpoint-{position.phase}-{position.epochs:05d}"
        with replacing(self.folder / name, shared=False) as parts:
            parts.mkdir()
            _trackable(model).write(str(parts / "weights"))
            state = {"format": FORMAT, "sha256": _digests(parts), **asdict(position)}
            state["pushes"] = model.kept_pushes()
            write_json(parts / STATE, state)
        self._states[name] = json.loads(json.dumps(state))
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
        folder, state = self._whole()[-1]
        status = _trackable(model).read(str(folder / "weights"))
        status.assert_existing_objects_matched()
        model.restore_pushes(state.get("pushes"))  # of older checkpoints it is not known

    def _whole(self) -> list[tuple[Path, dict[str, Any]]]:
        """Whole checkpoints and their states, the last one last; a damaged one is passed over."""
        found = []
        for folder in sorted(self.folder.glob("checkpoint-*")):
            if folder.name not in self._states:
                self._states[folder.name] = _state(folder)
                if self._states[folder.name] is None:
                    logging.warning("%s: is damaged, and passed over.", folder)
            if (state := self._states[folder.name]) is not None:
                found.append((folder, state))
        return found


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
        state = json.loads(read_text(folder / STATE))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(state, dict) or not isinstance(state.get("format"), str):
        return None
    older = "Go on with the version that wrote it, or pass a new folder to start anew."
    try:
        check_format(state["format"], FORMAT, older)
    except ValueError as error:
        raise ValueError(f"{folder / STATE}: {error}") from None
    match state:
        case {"phase": int(), "epochs": int(), "history": [*epochs], "sha256": dict(digests)}:
            whole = digests and digests == _digests(folder)
            return state if whole and all(isinstance(epoch, dict) for epoch in epochs) else None
    return None


def _digests(folder: Path) -> dict[str, str]:
    """The name and the SHA-256 of each file of a checkpoint, its state excepted."""
    files = [file for file in folder.iterdir() if file.name != STATE and file.is_file()]
    return {file.name: sha256_of(file) for file in sorted(files)}


def _trackable(model: keras.Model) -> tf.train.Checkpoint:
    """Every weight by its path, the built optimizer and the seeds.

    Not the model itself: TensorFlow does not look into the lists of layers that Keras' layers hold,
    so it would leave out what a fusion layer's batch norms have measured, and raise nothing.
    """
    seeds = [variable.value for variable in model.variables if "seed" in variable.path]
    weights = {weight.path: weight for weight in model.weights}
    return tf.train.Checkpoint(weights=weights, optimizer=model.optimizer, seeds=seeds)
