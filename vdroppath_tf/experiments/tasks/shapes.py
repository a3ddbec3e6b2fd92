"""Moving shapes over noise: clips drawn from a known answer.

The following properties keep a clip from revealing its answer by other means:
* the plane wraps around and the start is uniform, so in every frame all positions of the shape are
  equally likely, whatever its direction: a single frame carries no information about motion;
* all shapes have the same area, so brightness carries no information about shape;
* noise is independent for every pixel of every frame, so only the shape persists.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from vdroppath_tf.names import named
from vdroppath_tf.ranges import Range, check_range, check_ranges, whole

SHAPES = ("square", "disc", "diamond", "cross")
DIRECTIONS = ("right", "left", "down", "up")
TASKS = ("appearance", "motion", "both")
GREY = 112.0
"""The mean of the background, on 0..255."""

_STEPS = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}  # rows, columns


@named
@dataclasses.dataclass(frozen=True)
class Difficulty:
    """The difficulty of a known-answer task.

    Attributes:
        frames: The number of frames in a clip, at least 2.
        size: The height and width of a frame in pixels, even.
        noise: The standard deviation of the noise of each pixel, on 0..255.
        contrast: The difference in brightness between shape and background, on 0..255.
        speed: The motion from one frame to the next in pixels, less than half of `size`.
        shape: The side of the square in pixels; the other shapes have its area.
        gap: The largest number of frames without the shape between two with it. Each clip draws its
            number from 0 to `gap`, and the shape is visible at least twice. `speed` is then the
            motion from one appearance to the next. A network whose temporal receptive field is
            smaller than the gap cannot detect the direction.

    Raises:
        ValueError: If a value is out of range.

    Example:
    ```python
    hard = Difficulty(noise=60.0, contrast=40.0)
    frames, label = make_clip("motion", "train", 0, difficulty=hard)
    ```
    """

    frames: int = 8
    size: int = 32
    noise: float = 40.0
    contrast: float = 60.0
    speed: float = 2.0
    shape: float = 10.0
    gap: int = 0

    RANGES: ClassVar[Mapping[str, Range]] = {
        "frames": whole(2, 1024),
        "size": whole(8, 1024),
        "noise": Range(0.0, 255.0),
        "contrast": Range(0.0, 255.0),
    }

    def __post_init__(self) -> None:
        check_ranges(self, self.RANGES)
        # A faster shape would appear to move backwards.
        check_range("speed", self.speed, Range(0.0, self.size / 2 - 1))
        check_range("shape", self.shape, Range(2.0, self.size / 2))
        check_range("gap", self.gap, whole(0, self.frames - 2))
        if self.size % 2:
            raise ValueError(f"size must be even, for H.264. Received: {self.size}.")


@named
@dataclasses.dataclass(frozen=True)
class Scene:
    """The content of one clip.

    Attributes:
        shape: The number of the shape in `SHAPES`.
        direction: The number of the direction in `DIRECTIONS`.
        start: The row and column of the shape's centre where it is first visible, in pixels.
        first: The first frame in which it is visible.
        period: The number of frames from one appearance to the next.

    Example:
    ```python
    scene = Scene(shape=0, direction=1, start=(16.0, 16.0), period=2)
    scene.centres(Difficulty()).shape, scene.visible(8)  # (8, 2), in every second frame
    ```
    """

    shape: int
    direction: int
    start: tuple[float, float]
    first: int = 0
    period: int = 1

    def centres(self, difficulty: Difficulty) -> np.ndarray:
        """Returns row and column of the shape's centre in each frame, float64 `(frames, 2)`."""
        step = np.array(_STEPS[DIRECTIONS[self.direction]])
        seen = (np.arange(difficulty.frames) - self.first) // self.period
        return (np.array(self.start) + seen[:, None] * (difficulty.speed * step)) % difficulty.size

    def visible(self, frames: int) -> np.ndarray:
        """Returns whether the shape is visible in each frame, bool `(frames,)`."""
        since = np.arange(frames) - self.first
        return (since >= 0) & (since % self.period == 0)


@named
def labels(task: str) -> tuple[str, ...]:
    """Returns the names of the classes of a task.

    Raises:
        ValueError: If there is no such task.
    """
    if task == "appearance":
        return SHAPES
    if task == "motion":
        return DIRECTIONS
    if task == "both":
        return tuple(f"{shape} {direction}" for shape in SHAPES for direction in DIRECTIONS)
    raise ValueError(f"task must be one of {', '.join(TASKS)}. Received: {task!r}.")


@named
def draw_scene(task: str, label: int, difficulty: Difficulty, rng: np.random.Generator) -> Scene:
    """Draws a scene with the given answer; everything else is random."""
    shape, direction = (int(k) for k in rng.integers(4, size=2))
    if task == "appearance":
        shape = label
    elif task == "motion":
        direction = label
    else:
        shape, direction = divmod(label, len(DIRECTIONS))
    row, column = rng.random(2) * difficulty.size
    start = (float(row), float(column))
    if not difficulty.gap:
        return Scene(shape, direction, start)
    period = int(rng.integers(difficulty.gap + 1)) + 1
    first = int(rng.integers(min(period, difficulty.frames - period)))
    return Scene(shape, direction, start, first, period)


@named
def render(scene: Scene, difficulty: Difficulty, rng: np.random.Generator) -> np.ndarray:
    """Renders a scene.

    Returns:
        Grey RGB frames, uint8 `(frames, size, size, 3)`.
    """
    size = difficulty.size
    away = np.arange(size) - scene.centres(difficulty)[..., None]  # (frames, axis, size)
    away = np.abs((away + size / 2) % size - size / 2)
    rows, columns = away[:, 0, :, None], away[:, 1, None, :]
    inside = np.clip(0.5 - _distance(SHAPES[scene.shape], rows, columns, difficulty.shape), 0, 1)
    inside[~scene.visible(difficulty.frames)] = 0.0
    noise = rng.standard_normal((difficulty.frames, size, size), np.float32)
    grey = GREY + difficulty.contrast * inside + difficulty.noise * noise
    frames = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return np.repeat(frames[..., None], 3, axis=-1)


def _distance(shape: str, rows: np.ndarray, columns: np.ndarray, side: float) -> np.ndarray:
    """Returns the approximate distance in pixels to a shape of area `side` squared (in: < 0)."""
    if shape == "square":
        return np.maximum(rows, columns) - side / 2
    if shape == "disc":
        return np.hypot(rows, columns) - side / math.sqrt(math.pi)
    if shape == "diamond":
        return (rows + columns) / math.sqrt(2) - side / 2
    # A plus sign whose arms are a third of its width has five ninths of its square's area.
    width = side * 3 / math.sqrt(5)
    return np.minimum(
        np.maximum(rows - width / 2, columns - width / 6),
        np.maximum(rows - width / 6, columns - width / 2),
    )
