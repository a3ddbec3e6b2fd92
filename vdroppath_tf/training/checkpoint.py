"""Checkpoints of a run: written atomically, and sufficient to resume bit for bit."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from absl import logging

from vdroppath_tf.files import check_format, parse_json, read_text, replacing, sha256_of, write_json
from vdroppath_tf.names import named
from vdroppath_tf.training.identity import FORMAT, claim_folder
from vdroppath_tf.training.position import Position

STATE = "state.json"  # written last: a folder without it is incomplete
_NAME = re.compile(r"checkpoint-\d+-\d{5,}(-\d{8,})?")
_NUMBERS = ("phase", "epochs", "steps", "bad_clips")
_FIELDS = {**dict.fromkeys(_NUMBERS, int), "history": list, "metrics": list, "logs": dict}


@named
class CheckpointStore:
    """The last checkpoints of one run in a folder.

    Args:
        folder: The folder of the run; it is created if it is missing.
        run: The description of the run, JSON text, which each checkpoint holds; a folder of another
            run is refused.
        keep: The number of checkpoints to keep. Defaults to 2.

    Raises:
        ValueError: If the folder holds another run.
    """

    def __init__(self, folder: Path, run: str, *, keep: int = 2) -> None:
        self.folder, self.keep, self.run = folder, keep, run
        self._states: dict[str, dict[str, Any] | None] = {}  # of checkpoints already read
        folder.mkdir(parents=True, exist_ok=True)
        for half in folder.glob(".checkpoint-*.tmp"):  # left by a killed run
            shutil.rmtree(half, ignore_errors=True)
        whole = self._whole()
        claim_folder(folder, run, whole[-1][1] if whole else None)
        self._name_damaged(whole)

    def _name_damaged(self, whole: list[tuple[Path, dict[str, Any]]]) -> None:
        """Logs which checkpoints are damaged, and from which one the run resumes."""
        instead = f"resumes from {whole[-1][0].name}" if whole else "starts from the beginning"
        for name, state in self._states.items():
            if state is None:
                logging.warning("%s: is damaged; the run %s.", self.folder / name, instead)

    def save(
        self, model: keras.Model, position: Position, *, pushes: Mapping[str, Any] | None = None
    ) -> None:
        """Writes a checkpoint to a temporary name, renames it, then removes old ones.

        Args:
            model: The compiled model.
            position: The position of the run.
            pushes: The record of what moved the gates (data or prior). Defaults to None: that
                of the model.

        Raises:
            OSError: If the disk has no room for it; existing checkpoints are left unchanged.
        """
        trackable = _trackable(model)
        self._check_room(model)
        name = position.name
        with replacing(self.folder / name, shared=False) as parts:
            parts.mkdir()
            trackable.write(str(parts / "weights"))
            state = {"format": FORMAT, "name": name, "run": self.run, **asdict(position)}
            pushes = model.kept_pushes(under_way=True) if pushes is None else pushes
            state |= {"sha256": _digests(parts), "pushes": pushes}
            state = json.loads(json.dumps(state))  # as it will be read: lists instead of tuples
            write_json(parts / STATE, {**state, "state": _digest_of(state)})
        self._states[name] = state
        damaged = [self.folder / other for other, state in self._states.items() if state is None]
        for old in (*damaged, *(folder for folder, _ in self._whole()[: -self.keep])):
            shutil.rmtree(old, ignore_errors=True)
            self._states.pop(old.name)

    def _check_room(self, model: keras.Model) -> None:
        sizes = [v.shape.num_elements() * v.dtype.size for v in tensors_of(model)]
        need, free = sum(sizes) + 2**20, shutil.disk_usage(self.folder).free
        if free < need:
            raise OSError(
                f"{self.folder}: a checkpoint needs {need / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB "
                "of the disk are free. Make room and run it again: it resumes from the last "
                "checkpoint."
            )

    def position(self) -> Position:
        """The position of the last complete checkpoint; the beginning if there is none."""
        whole = self._whole()
        if not whole:
            return Position(0, 0)
        _, state = whole[-1]
        return Position(
            state["phase"],
            state["epochs"],
            tuple(state["history"]),
            state["steps"],
            tuple(state["metrics"]),
            state["bad_clips"],
            state["logs"],
        )

    def pushes(self) -> Any:
        """The record of what moved the gates, in the last complete checkpoint; may be None."""
        whole = self._whole()
        return whole[-1][1].get("pushes") if whole else None

    def restore(self, model: keras.Model) -> None:
        """Restores a compiled model completely from the last complete checkpoint."""
        folder, state = self._whole()[-1]
        status = _trackable(model).read(str(folder / "weights"))
        status.assert_existing_objects_matched()
        model.restore_pushes(state.get("pushes"))  # older checkpoints do not have it

    def _whole(self) -> list[tuple[Path, dict[str, Any]]]:
        """Returns the complete checkpoints and their states in order; damaged ones are skipped."""
        for folder in self.folder.glob("checkpoint-*"):
            if folder.name not in self._states and _NAME.fullmatch(folder.name):
                self._states[folder.name] = _state(folder)
        found = [(self.folder / name, state) for name, state in self._states.items() if state]
        return sorted(
            found, key=lambda item: (item[1]["phase"], item[1]["epochs"], item[1]["steps"])
        )


def _state(folder: Path) -> dict[str, Any] | None:
    """Returns the state of a checkpoint; None if it, or a file it lists, is incomplete."""
    try:
        state = parse_json(read_text(folder / STATE))
    except (OSError, ValueError):
        return None
    if not isinstance(state, dict) or not isinstance(state.get("format"), str):
        return None
    older = "Resume with the version that wrote it, or pass a new folder to start again."
    try:
        check_format(state["format"], FORMAT, older)
    except ValueError as error:
        raise ValueError(f"{folder / STATE}: {error}") from None
    digest = state.pop("state", None)
    whole = digest == _digest_of(state) and state.get("name") == folder.name
    whole = whole and all(isinstance(state.get(key), kind) for key, kind in _FIELDS.items())
    return state if whole and state.get("sha256") == _digests(folder) else None


def _digest_of(state: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    """Returns the name and SHA-256 of each file of a checkpoint except its state."""
    files = [file for file in folder.iterdir() if file.name != STATE and file.is_file()]
    return {file.name: sha256_of(file) for file in sorted(files)}


def _seeds(model: keras.Model) -> list[Any]:
    return [variable.value for variable in model.variables if "seed" in variable.path]


def tensors_of(model: keras.Model) -> list[Any]:
    """Returns the variables that a checkpoint of a compiled model holds."""
    own = [variable.value for variable in (*model.weights, *model.optimizer.variables)]
    return [*own, *_seeds(model)]


def _trackable(model: keras.Model) -> tf.train.Checkpoint:
    """Returns every weight by its path, the built optimizer and the seeds.

    The model itself would not do: TensorFlow does not track lists of layers inside Keras layers, so
        it would silently leave out the statistics of a fusion layer's batch norms.
    """
    weights = {weight.path: weight for weight in model.weights}
    return tf.train.Checkpoint(weights=weights, optimizer=model.optimizer, seeds=_seeds(model))
