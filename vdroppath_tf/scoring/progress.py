"""Keeps the results of an evaluation batch by batch, so that a stopped one can resume."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.scoring.array_files import read_arrays, write_arrays

_FORMAT = "vdroppath_tf.progress/1"
_NOT_OF_THE_RESULT = {"mask", "noise_step"}  # variables (ends of paths) that scores ignore


class Progress:
    """The results so far and digests of their batches, in a file or, without a path, nowhere.

    Args:
        path: the file; None keeps nothing.
        fingerprint: a fingerprint of everything but the batches that the results depend on.

    Raises:
        ValueError: If the file is from another evaluation; it is left unchanged.
    """

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint
        self.digests: list[str] = []
        self.results = np.zeros(0)
        if path is not None and path.exists():
            found = read_arrays(path, _FORMAT, ("fingerprint", "digests", "results"))
            if str(found["fingerprint"]) != fingerprint:
                raise other_evaluation(path, "weights, strategies or settings")
            self.digests, self.results = [str(one) for one in found["digests"]], found["results"]

    def has(self, number: int, batch: Sequence[Any]) -> bool:
        """Whether the results of this batch are known.

        Raises:
            ValueError: If another batch had this number.
        """
        if number >= len(self.digests):
            return False
        if digest(batch) != self.digests[number]:
            raise other_evaluation(self.path, f"clips (batch {number + 1})")
        return True

    def keep(self, batch: Sequence[Any], results: np.ndarray) -> None:
        """Stores all results up to and including this batch."""
        self.results = results
        if self.path is not None:
            self.digests.append(digest(batch))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_arrays(
                self.path,
                _FORMAT,
                fingerprint=np.array(self.fingerprint),
                digests=np.array(self.digests),
                results=results,
            )

    def finish(self, batches: int) -> None:
        """Raises a ValueError if the file holds results of more batches than there were."""
        if batches < len(self.digests):
            done = f"{batches} batches; {len(self.digests)} had been done"
            raise other_evaluation(self.path, f"clips ({done})")


def other_evaluation(path: Path | None, what: str) -> ValueError:
    """Returns the error about a file with the results of another evaluation."""
    return ValueError(
        f"{path}: holds results of other {what}. To resume it, repeat the evaluation that "
        "wrote it unchanged; otherwise pass another folder, or delete the file."
    )


def digest(parts: Sequence[Any]) -> str:
    """Returns the SHA-256 of arrays: of their values, shapes and dtypes."""
    found = hashlib.sha256()
    for part in parts:
        array = np.ascontiguousarray(part)
        found.update(f"{array.dtype} {array.shape} ".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def fingerprint_of(model: keras.Model, *texts: str) -> str:
    """Returns the SHA-256 of a model's weights, with their names, and of settings."""
    found = hashlib.sha256("\n".join(texts).encode())
    for weight in sorted(model.weights, key=lambda weight: weight.path):
        if weight.path.split("/")[-1] not in _NOT_OF_THE_RESULT:
            found.update(f"\n{weight.path} {weight.shape} ".encode())
            found.update(tf.convert_to_tensor(weight).numpy().tobytes())
    return found.hexdigest()


def file_in(folder: str | os.PathLike[str] | None, name: str) -> Path | None:
    """Returns a file's path in a folder; None without a folder."""
    return None if folder is None else Path(folder) / name
