"""What a stopped evaluation has done, batch by batch, so that it goes on and ends the same."""

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
_NOT_OF_THE_RESULT = {"mask", "noise_step"}  # last parts of paths: what a template runs otherwise


class Progress:
    """Results so far and the batches they come from; a file, or nothing where there is no path.

    Args:
        path: of the file; None keeps nothing.
        fingerprint: of all that the results depend on beside the batches.

    Raises:
        ValueError: when the file is of another evaluation; it stays as it is.
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
        """Whether the results of this batch are there.

        Raises:
            ValueError: when another batch was at its place.
        """
        if number >= len(self.digests):
            return False
        if digest(batch) != self.digests[number]:
            raise other_evaluation(self.path, f"clips (batch {number + 1})")
        return True

    def keep(self, batch: Sequence[Any], results: np.ndarray) -> None:
        """All results up to and with this batch."""
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
        """ValueError where the file holds results of more batches than there were."""
        if batches < len(self.digests):
            done = f"{batches} batches; {len(self.digests)} had been done"
            raise other_evaluation(self.path, f"clips ({done})")


def other_evaluation(path: Path | None, what: str) -> ValueError:
    """The error about a file of results that are not those asked for."""
    return ValueError(
        f"{path}: holds results of other {what}. To go on with it, evaluate what it was "
        "begun with; otherwise name another folder, or delete it."
    )


def digest(parts: Sequence[Any]) -> str:
    """SHA-256 of arrays: values, shapes and types."""
    found = hashlib.sha256()
    for part in parts:
        array = np.ascontiguousarray(part)
        found.update(f"{array.dtype} {array.shape} ".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def fingerprint_of(model: keras.Model, *texts: str) -> str:
    """SHA-256 of a model's weights, by name, and of settings."""
    found = hashlib.sha256("\n".join(texts).encode())
    for weight in sorted(model.weights, key=lambda weight: weight.path):
        if weight.path.split("/")[-1] not in _NOT_OF_THE_RESULT:
            found.update(f"\n{weight.path} {weight.shape} ".encode())
            found.update(tf.convert_to_tensor(weight).numpy().tobytes())
    return found.hexdigest()


def file_in(folder: str | os.PathLike[str] | None, name: str) -> Path | None:
    """A file of a folder, where there is one."""
    return None if folder is None else Path(folder) / name
