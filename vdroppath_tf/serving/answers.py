"""The answer of a network for one video, or for a part of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from vdroppath_tf.data.clips.video_clips import VideoClips
from vdroppath_tf.names import named


@named
@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer of a served network for one video: the mean softmax over its clips.

    Attributes:
        file: The video.
        label: The most probable class.
        probabilities: The probability of each class by name, the most probable first.
        frames: The numbers of the frames in each clip, counted from 0.
        start: For a part of a video, the second at which it begins. Defaults to None, a whole
            video.
        end: For a part of a video, the second before which it ends. Defaults to None, a whole
            video.

    Example:
        ```python
        for answer in ServedModel("served/1").predict(["dance.mp4"]):
            print(answer.label, answer.best(3))
        ```
    """

    file: str
    label: str
    probabilities: dict[str, float]
    frames: tuple[tuple[int, ...], ...] = ()
    start: float | None = None
    end: float | None = None

    def fields(self, top: int | None = None) -> dict[str, Any]:
        """Returns the answer as JSON-able data, with the most probable classes.

        Args:
            top: int, the number of classes. Defaults to None, all.
        """
        return {
            "file": self.file,
            **self.span(),
            "label": self.label,
            "probabilities": dict(self.best(top)),
            "frames": [list(clip) for clip in self.frames],
        }

    def span(self) -> dict[str, float]:
        """Returns ``start`` and ``end`` for a part of a video, rounded to microseconds."""
        both = {"start": self.start, "end": self.end}
        return {name: round(value, 6) for name, value in both.items() if value is not None}

    def best(self, top: int | None = None) -> list[tuple[str, float]]:
        """Returns the ``top`` most probable classes with their probabilities; all for None."""
        return list(self.probabilities.items())[:top]


def answer_of(
    file: str,
    labels: Sequence[str],
    probabilities: np.ndarray,
    clips: VideoClips,
    span: tuple[float, float] | None = None,
) -> Answer:
    """Averages the answers for the views of a video.

    Args:
        file: The name of the video.
        labels: The names of the classes.
        probabilities: The answers, ``(views, classes)``.
        clips: The clips of the answers.
        span: The start and the end of a part of a video, in seconds. Defaults to None.

    Raises:
        ValueError: If the answers are not finite.
    """
    mean = np.asarray(probabilities, np.float64).mean(0)
    if not np.isfinite(mean).all():
        raise ValueError(f"{file}: the answers of the network are not finite numbers.")
    order = np.argsort(-mean, kind="stable")
    ranked = {labels[k]: float(mean[k]) for k in order}
    frames = tuple(tuple(clip) for clip in clips.frames.tolist())
    return Answer(file, labels[order[0]], ranked, frames, *(span or (None, None)))
