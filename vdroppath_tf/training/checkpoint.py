"""Checkpoints of a run: whole or not there, and enough of them to go on exactly."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ..files import write_text

FORMAT = "vdroppath_tf.run/1"
_STATE = "state.json"  # written last: a folder without it is not whole


@dataclass(frozen=True)
class Position:
    """How far a run is: epochs finished of a phase, and what was logged up to there."""

    phase: int
    epochs: int
    history: tuple[dict[str, Any], ...] = ()


class CheckpointStore:
    """The last checkpoints of one run in a folder.

    Args:
        folder: of the run; made where it is missing.
        run: JSON text that describes the run; a folder of another run is refused.
        keep: how many checkpoints stay.

    Raises:
        ValueError: when the folder holds another run.
    """

    def __init__(self, folder: Path, run: str, *, keep: int = 2) -> None:
        self.folder, self.keep = folder, keep
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / "run.json"
        if mark.exists() and mark.read_text() != run:
            raise ValueError(
                f"{mark}: the folder holds a run with another recipe, data or network. Pass a new folder to "
                "start anew, or the same settings to go on."
            )
        write_text(mark, run)

    def save(self, model: keras.Model, position: Position) -> None:
        """Writes a checkpoint beside the others, then gives it its name, then removes old ones."""
        name = f"checkpoint-{position.phase}-{position.epochs:05d}"
        parts = self.folder / f".{name}.partial"
        shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir()
        _trackable(model).write(str(parts / "weights"))
        state = {
            "format": FORMAT,
            "phase": position.phase,
            "epochs": position.epochs,
            "history": position.history,
        }
        write_text(parts / _STATE, json.dumps(state))
        shutil.rmtree(self.folder / name, ignore_errors=True)
        os.replace(parts, self.folder / name)
        for old in self._whole()[: -self.keep]:
            shutil.rmtree(old)

    def position(self) -> Position:
        """Where the last whole checkpoint stands; the beginning where there is none."""
        whole = self._whole()
        if not whole:
            return Position(0, 0)
        state = json.loads((whole[-1] / _STATE).read_text())
        if state.get("format") != FORMAT:
            raise ValueError(f"{whole[-1] / _STATE}: expected format {FORMAT!r}, found {state}")
        return Position(state["phase"], state["epochs"], tuple(state["history"]))

    def restore(self, model: keras.Model) -> None:
        """Reads the last whole checkpoint into a compiled model, completely."""
        status = _trackable(model).read(str(self._whole()[-1] / "weights"))
        status.assert_existing_objects_matched()

    def _whole(self) -> list[Path]:
        return sorted(path.parent for path in self.folder.glob(f"checkpoint-*/{_STATE}"))


def _trackable(model: keras.Model) -> tf.train.Checkpoint:
    """Model, optimizer and the seeds, which Keras leaves out."""
    if not model.optimizer.built:
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
    seeds = [variable.value for variable in model.variables if "seed" in variable.path]
    return tf.train.Checkpoint(model=model, optimizer=model.optimizer, seeds=seeds)
