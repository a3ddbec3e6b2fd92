"""Labelled clips cut out of films: the synthetic tasks on real footage.

* `appearance`: the label is the film. The window has a random position; validation and test use
  times of the film that are not used in training.
* `motion`: the label is the direction in which the window pans. The film's own motion is noise. Two
  thirds of the films are for training, the others for validation and test.

Nothing but the motion of the window carries information about the label of a `motion` clip:
opposite pans cover the same stretch, in opposite directions; across the pan, the window lies at a
random position that a pan along that axis would reach; and times, positions and speeds are drawn
independently of the label. So a single frame of a clip shows every position in a film equally
often, whatever the direction.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping

import numpy as np

from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.decode import scaled_size
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.experiments.tasks.files import clip_rng
from vdroppath_tf.experiments.tasks.shapes import DIRECTIONS

TASKS = ("appearance", "motion")
_Parts = Mapping[str, tuple[float, float]]
PARTS: _Parts = {"train": (0.0, 0.6), "validation": (0.65, 0.8), "test": (0.85, 1.0)}
"""The part of each film that a split uses, as shares of its length, with gaps between parts."""
HELD_OUT_PARTS: _Parts = {"validation": (0.0, 0.475), "test": (0.525, 1.0)}
"""The same for films that are not used in training."""
TRAVEL = (0.25, 0.55)
"""The range of the distance that a window pans in a clip, as a share of its side."""
TEXTURE = 2.0
"""The least mean grey difference of neighbouring pixels (0..255); plainer windows are redrawn."""

_ZOOM = 2  # short edge of a scaled film over a window's side: room to pan, and a large view
_TRIES = 32
_CACHE_BYTES = 1 << 30


@dataclasses.dataclass(frozen=True, eq=False)
class Cut:
    """The position of a clip in a film.

    Attributes:
        film: str, the name of the film.
        label: int, the number of the class.
        frames: int64 `(frames,)`, the numbers of the film's frames.
        corners: int64 `(frames, 2)`, the top and the left edge of the window in each frame of the
            scaled film.
    """

    film: str
    label: int
    frames: np.ndarray
    corners: np.ndarray


class Footage:
    """Films to cut clips from; thread-safe, and each cut is a pure function of its arguments.

    Args:
        films: dict, the file of each film by its name; the names are sorted.
        frames: int, the number of frames in a clip, at least 2.
        size: int, the side of the window in pixels, even. The short edge of films is scaled to
            twice that.

    Raises:
        VideoError: If a film cannot be read, or is too short or too small.
        ValueError: If another number is out of range, or there are fewer than two films.
    """

    def __init__(self, films: Mapping[str, str | os.PathLike[str]], frames: int, size: int) -> None:
        if frames < 2 or size < 8 or size % 2:
            raise ValueError(
                f"frames must be at least 2, size even and at least 8. Received: {frames}, {size}."
            )
        if len(films) < 2:
            raise ValueError(f"Expected at least two films. Received: {sorted(films)}.")
        self.films = {name: VideoFile(os.path.abspath(films[name])) for name in sorted(films)}
        self.frames, self.size = frames, size
        self._cache = VideoCache(_CACHE_BYTES)
        self._shapes = {name: self._shape(film) for name, film in self.films.items()}

    def _shape(self, film: VideoFile) -> tuple[int, int, int]:
        index = film.info()
        shortest = min(len(_part(index.num_frames, bounds)) for bounds in PARTS.values())
        if shortest < self.frames:
            raise VideoError(
                f"{film.path}: is too short: {shortest} of its {index.num_frames} frames are for "
                f"one of train, validation, test, and a clip has {self.frames}. Remove it from "
                "the films, or set fewer frames."
            )
        if min(index.height, index.width) < self.size:
            raise VideoError(
                f"{film.path}: is too small: {index.width}x{index.height} pixels, and windows are "
                f"{self.size}x{self.size}. Remove it from the films, or set a smaller size."
            )
        return (
            index.num_frames,
            *scaled_size(index.height, index.width, _ZOOM * self.size),
        )

    def labels(self, task: str) -> tuple[str, ...]:
        """Returns the class names of a task."""
        if task not in TASKS:
            raise ValueError(f"task must be one of {', '.join(TASKS)}. Received: {task!r}.")
        return tuple(self.films) if task == "appearance" else DIRECTIONS

    def draw(self, task: str, split: str, item: int, *, seed: int = 0) -> Cut:
        """Draws one cut of a task.

        The classes take turns, and in `motion` so do the films within a class.
        """
        rng = clip_rng(seed, split, item)
        turn, label = divmod(item, len(self.labels(task)))
        if task == "motion":
            name, parts = self._film_in_turn(split, turn)
            offsets = self._pan(DIRECTIONS[label], rng)
        else:
            name, parts = tuple(self.films)[label], PARTS
            offsets = np.zeros((self.frames, 2))
        num_frames, *sides = self._shapes[name]
        part = _part(num_frames, parts[split])
        reach = np.abs(offsets).max()
        room = np.array(sides) - self.size
        for _ in range(_TRIES):
            start = rng.integers(part.start, part.stop - self.frames, endpoint=True)
            middle = reach + rng.random(2) * (room - 2 * reach)
            if self._textured(name, start + self.frames // 2, np.rint(middle).astype(int)):
                break
        corners = np.rint(middle + offsets).astype(np.int64)
        return Cut(name, label, start + np.arange(self.frames), corners)

    def _film_in_turn(self, split: str, turn: int) -> tuple[str, _Parts]:
        names = tuple(self.films)
        seen = len(names) - len(names) // 3
        if split == "train" or seen == len(names):
            return names[turn % seen], PARTS
        return names[seen + turn % (len(names) - seen)], HELD_OUT_PARTS

    def _pan(self, direction: str, rng: np.random.Generator) -> np.ndarray:
        """Returns the window's offset from the middle of its path, float64 `(frames, 2)`."""
        along = self.size * rng.uniform(*TRAVEL) * np.linspace(-0.5, 0.5, self.frames)
        across = np.full(self.frames, along[rng.integers(self.frames)])
        if direction in ("left", "up"):
            along = along[::-1]
        sideways = direction in ("right", "left")
        return np.stack((across, along) if sideways else (along, across), axis=1)

    def _textured(self, name: str, frame: int, corner: np.ndarray) -> bool:
        """Returns whether a window has enough texture to show a pan in any direction."""
        grey = self._read(name, np.array([frame]))[0].mean(-1)
        grey = grey[corner[0] : corner[0] + self.size, corner[1] : corner[1] + self.size]
        return min(float(np.abs(np.diff(grey, axis=k)).mean()) for k in (0, 1)) >= TEXTURE

    def cut(self, cut: Cut) -> np.ndarray:
        """Returns the frames of a cut, RGB, uint8 `(frames, size, size, 3)`."""
        film = self._read(cut.film, cut.frames)
        return np.stack(
            [
                frame[top : top + self.size, left : left + self.size]
                for frame, (top, left) in zip(film, cut.corners, strict=True)
            ]
        )

    def _read(self, name: str, frames: np.ndarray) -> np.ndarray:
        return self._cache.frames(self.films[name], frames, _ZOOM * self.size)


def _part(num_frames: int, bounds: tuple[float, float]) -> range:
    return range(math.ceil(bounds[0] * num_frames), math.floor(bounds[1] * num_frames))
