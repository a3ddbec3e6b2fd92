"""An exported network that answers for video files."""

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
    """An exported network, loaded, that answers for video files.

    Attributes:
        labels: The names of the classes.
        multi_label: Whether a clip has any number of classes, each with a sigmoid of its own; None
            of older versions, which did not write it.
        channels: Of its clips: 3 for RGB, 2 for optical flow.
        sampling: How clips are made of videos.

    Args:
        folder: What ``vdroppath export`` wrote, see ``load_artefact``.
        sampling: How clips are made of videos; None reads what was exported with the model.

    Raises:
        ValueError: If the folder holds no such model.
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
        """``(batch, classes)`` for uint8 clips ``(batch, time, height, width, channels)``.

        Raises:
            ValueError: For clips of another rank, other channels or another dtype.
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
        """One answer a video, in order; ``predict_videos`` has more options.

        Args:
            videos: Files, folders of frames or of videos, archives, lists of paths, see
                ``named_videos``; for a network of optical flow, folders of it.
            video_stream: The number of the video stream of each file, from 0; None takes the one
                that a player shows.
            source_fps: Frames a second of folders of frames, for a network whose clips are taken at
                a rate.
            on_error: Called with a video that has no answer, and with what was raised; the next
                videos then are answered all the same. Defaults to None, which raises.

        Raises:
            VideoError: For a video that cannot be read, where there is no ``on_error``.
        """
        reading = VideoReading(self.channels == 2, video_stream, source_fps)
        found = (named_videos(video, reading, on_error=on_error) for video in videos)
        entries = itertools.chain.from_iterable(found)
        return predict_videos(self._artefact, entries, on_error=on_error)
