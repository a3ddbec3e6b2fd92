"""Checks that an exported network gives the answers of the original network."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np

BOUND = 1e-5
"""The allowed difference of logits, as a share of the largest one, or of 5 if all are smaller."""
HALF_BOUND = 5e-2
"""The same for a network in half precision, since the exported one is in full precision."""
_LEAST_LOGIT = 5.0
_GENERATED = 2  # clips
_CELL = 8  # pixels


@dataclasses.dataclass(frozen=True)
class Difference:
    """The difference between the logits of an exported network and of the Keras network.

    Attributes:
        largest: The largest difference of a logit.
        bound: The largest difference that is allowed.
        largest_logit: The largest logit of the Keras network.
        clips: The number of clips.
        source: The origin of the clips.
    """

    largest: float
    bound: float
    largest_logit: float
    clips: int
    source: str

    @property
    def close(self) -> bool:
        """Whether the difference is a number, and within its bound."""
        return self.largest <= self.bound

    def check(self, what: str) -> None:
        """Raises a ValueError if the difference exceeds its bound, or is not a number."""
        if not self.close:
            raise ValueError(
                f"{what}: its logits differ from the network's by {self.largest:.2g} on "
                f"{self.clips} clips ({self.source}), more than the allowed {self.bound:.2g}. "
                "Nothing was written. Export with fold=False, and please report the network."
            )


@dataclasses.dataclass(frozen=True, eq=False)
class Reference:
    """Clips, and the answers of the Keras network for them.

    Attributes:
        clips: uint8 ``(n, time, height, width, channels)``.
        logits: ``(n, classes)``.
        source: The origin of the clips.
        half: Whether the network computes in half precision.
    """

    clips: np.ndarray
    logits: np.ndarray
    source: str
    half: bool

    @classmethod
    def of(cls, network: keras.Model, clips: np.ndarray, source: str) -> Reference:
        """Runs the network on each clip."""
        logits = [np.asarray(network(clip[None], training=False))[0] for clip in clips]
        if not np.isfinite(np.asarray(logits, "float64")).all():
            raise ValueError(
                f"{network.name!r} gives logits that are not finite for clips ({source}): its "
                "weights or the statistics of its batch norms are damaged. Train or load it again."
            )
        kinds = {keras.backend.standardize_dtype(la.compute_dtype) for la in network.layers}
        half = bool(kinds & {"float16", "bfloat16"})
        return cls(clips, np.stack(logits).astype("float64"), source, half)

    def part(self, start: int, step: int) -> Reference:
        """Returns some of the clips with their logits."""
        some = slice(start, None, step)
        return dataclasses.replace(self, clips=self.clips[some], logits=self.logits[some])

    def difference(self, logits: Any) -> Difference:
        """Compares other logits for the same clips with these."""
        found = np.asarray(logits, "float64")
        largest = float(np.abs(self.logits).max())
        bound = (HALF_BOUND if self.half else BOUND) * max(_LEAST_LOGIT, largest)
        apart = float(np.abs(found - self.logits).max())
        return Difference(apart, bound, largest, len(self.clips), self.source)

    def same_answers(self, logits: np.ndarray) -> float:
        """Returns the share of the clips for which these logits give the same class."""
        return float((logits.argmax(1) == self.logits.argmax(1)).mean())


def generated_clips(shape: tuple[int, int, int, int]) -> np.ndarray:
    """Generates clips if there are no others: moving coarse patterns with noise, always the same.

    Args:
        shape: The frames, height, width and channels.
    """
    frames, height, width, channels = shape
    rng = np.random.default_rng(0)
    clips = np.empty((_GENERATED, *shape), np.uint8)
    cells = (-(-height // _CELL) + 1, -(-width // _CELL) + 1, channels)
    for clip in clips:
        picture = rng.integers(0, 256, cells).repeat(_CELL, 0).repeat(_CELL, 1)
        down, right = rng.integers(-3, 4, 2)
        for t in range(frames):
            moved = np.roll(picture, (int(down) * t, int(right) * t), (0, 1))[:height, :width]
            clip[t] = np.clip(moved + rng.normal(0.0, 8.0, moved.shape), 0, 255)
    return clips
