"""Checkpoints of a run on several workers: the first reads and writes them for all."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras

from vdroppath_tf.names import named
from vdroppath_tf.training.checkpoint import CheckpointStore, tensors_of
from vdroppath_tf.training.position import Position
from vdroppath_tf.training.workers import Workers


@named
class SharedStore:
    """A ``CheckpointStore`` that all workers of a run call in the same order.

    Only the first worker accesses the folder. State of the other workers that is not in the model's
    variables (the metrics and the gates' records of their replicas) is sent to the first, and back.

    Args:
        workers: The processes of the run.
        folder: The folder of the run, on the first worker.
        store: The checkpoints, on the first worker; None on the others.
    """

    def __init__(self, workers: Workers, folder: Path, store: CheckpointStore | None) -> None:
        self.workers, self.folder, self.store = workers, folder, store
        self._pushes: Any = None

    def save(self, model: keras.Model, position: Position) -> None:
        """Writes a checkpoint on the first worker."""
        pushes = model.kept_pushes(under_way=True)
        sums = (pushes or {}).get("under_way", {}).get("sums", [])
        found = self.workers.gather({"metrics": list(position.metrics), "sums": sums})
        metrics = zip(*(own["metrics"] for own in found), strict=True)
        position = dataclasses.replace(
            position, metrics=tuple([part for own in parts for part in own] for parts in metrics)
        )
        if sums and pushes is not None:
            every = [part for own in found for part in own["sums"]]
            pushes = {**pushes, "under_way": {**pushes["under_way"], "sums": every}}

        def write() -> None:
            if self.store is not None:
                self.store.save(model, position, pushes=pushes)

        self.workers.chief_first(write)

    def position(self) -> Position:
        """Returns the run's position, with the metrics of this worker's replicas."""

        def read() -> dict[str, Any]:
            if self.store is None:
                return {}
            position = dataclasses.asdict(self.store.position())
            return {"position": position, "pushes": self.store.pushes()}

        found = self.workers.chief_first(read)
        self._pushes = found["pushes"]
        if self._pushes and "under_way" in self._pushes:
            self._pushes["under_way"]["sums"] = self._own(self._pushes["under_way"]["sums"])
        fields = found["position"]
        metrics = tuple(self._own(parts) for parts in fields["metrics"])
        return Position(**{**fields, "history": tuple(fields["history"]), "metrics": metrics})

    def _own(self, parts: list[Any]) -> list[Any]:
        """Returns this worker's part of the values of all replicas."""
        first = self.workers.index * self.workers.local
        return parts[first : first + self.workers.local]

    def restore(self, model: keras.Model) -> None:
        """Sets the variables of every worker's model to those of the last checkpoint."""

        def read() -> None:
            if self.store is not None:
                self.store.restore(model)

        self.workers.chief_first(read)
        self.workers.assign_from_chief(tensors_of(model))
        model.restore_pushes(self._pushes)
