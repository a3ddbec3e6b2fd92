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
        probabilities: The name of each class to its probability, most probable first.
        frames: The numbers of the frames that each clip was made of, counted from 0.
        start: Of a part of a video, the second that it begins at; None for a whole video.
        end: Of a part of a video, the second that it ends before; None for a whole video.
    """

    file: str
    label: str
    probabilities: dict[str, float]
    frames: tuple[tuple[int, ...], ...] = ()
    start: float | None = None
    end: float | None = None

    def fields(self, top: int | None = None) -> dict[str, Any]:
        """The answer as JSON-able data, with so many of the most probable classes.

        Args:
            top: int, how many classes. Defaults to None, for all.
        """
        part = {} if self.start is None else {"start": self.start, "end": self.end}
        return {
            "file": self.file,
            **part,
            "label": self.label,
            "probabilities": dict(self.best(top)),
            "frames": [list(clip) for clip in self.frames],
        }

    def best(self, top: int | None = None) -> list[tuple[str, float]]:
        """The most probable classes with their probabilities; all where ``top`` is None."""
        return list(self.probabilities.items())[:top]


def answer_of(
    file: str,
    labels: Sequence[str],
    probabilities: np.ndarray,
    clips: VideoClips,
    span: tuple[float, float] | None = None,
) -> Answer:
    """The mean of the answers for the views of a video.

    Args:
        file: What the video is called.
        labels: The names of the classes.
        probabilities: ``(views, classes)``.
        clips: What they are the answers for.
        span: Seconds that a part of a video lasts from and to.

    Raises:
        ValueError: If the network's answers are no numbers.
    """
    mean = np.asarray(probabilities, np.float64).mean(0)
    if not np.isfinite(mean).all():
        raise ValueError(f"{file}: the answers of the network are no finite numbers.")
    order = np.argsort(-mean, kind="stable")
    ranked = {labels[k]: float(mean[k]) for k in order}
    frames = tuple(tuple(clip) for clip in clips.frames.tolist())
    return Answer(file, labels[order[0]], ranked, frames, *(span or (None, None)))
