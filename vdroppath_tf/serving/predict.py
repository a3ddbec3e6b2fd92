"""A loaded network that answers for video files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.lists.named_videos import VideoReading, named_videos
from vdroppath_tf.names import named
from vdroppath_tf.serving.answers import Answer
from vdroppath_tf.serving.many_videos import predict_videos
from vdroppath_tf.serving.runtime import load_artefact


@named
class ServedModel:
    """A loaded network that answers for video files.

    Attributes:
        labels: The names of the classes.
        multi_label: Whether a clip may have any number of classes, each with a separate sigmoid;
            None for older exports, which do not state it.
        channels: The channels of its clips: 3 for RGB, 2 for optical flow.
        sampling: How clips are made of videos.

    Args:
        folder: The folder that ``vdroppath export`` wrote, see ``load_artefact``.
        sampling: How clips are made of videos. Defaults to None, as exported with the model.

    Raises:
        ValueError: If the folder holds no such model.

    Example:
        ```python
        served = ServedModel("served/1")
        served.probabilities(clips).shape  # (10, 4)
        for answer in served.predict(["dance.mp4"]):
            print(answer.file, answer.label)
        ```
    """

    def __init__(
        self, folder: str | os.PathLike[str], sampling: ClipSampling | None = None
    ) -> None:
        self._artefact = load_artefact(folder, sampling=sampling)
        self.labels = self._artefact.labels
        self.multi_label = self._artefact.multi_label
        self.channels = self._artefact.channels
        self.sampling = self._artefact.sampling

    def probabilities(self, clips: Any) -> np.ndarray:
        """Returns ``(batch, classes)`` for uint8 ``(batch, time, height, width, channels)``.

        Raises:
            ValueError: If clips have another rank, other channels or another dtype.
        """
        return self._artefact.answer(clips)

    def predict(
        self,
        videos: Sequence[str | os.PathLike[str]],
        *,
        video_stream: int | None = None,
        source_fps: float | None = None,
        on_error: Callable[[str, Exception], object] | None = None,
    ) -> Iterator[Answer]:
        """Yields one answer for each video, in order; ``predict_videos`` has more options.

        Args:
            videos: Files, folders of frames or of videos, archives, lists of paths, see
                ``named_videos``; for a network of optical flow, folders of flow.
            video_stream: The number of the video stream in each file, from 0. Defaults to None,
                the stream that a player shows.
            source_fps: The frame rate of folders of frames, for a network whose clips are sampled
                at a rate. Defaults to None.
            on_error: Called with a video without an answer and its error; the following videos are
                answered nevertheless. Defaults to None, which raises the error.

        Raises:
            VideoError: If a video cannot be read, and there is no ``on_error``.
        """
        reading = VideoReading(self.channels == 2, video_stream, source_fps)
        found = (named_videos(video, reading, on_error=on_error) for video in videos)
        entries = itertools.chain.from_iterable(found)
        return predict_videos(self._artefact, entries, on_error=on_error)
