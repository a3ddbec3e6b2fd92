"""Answers of a SavedModel for video files: TensorFlow and the data room, no network code."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.pipeline import evaluation_clips, video_errors
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.lists.one_video import one_video
from vdroppath_tf.names import named
from vdroppath_tf.serving.beside import read_sampling


@named
@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer of a served network for one video: the mean softmax over its clips.

    Attributes:
        file: the video.
        label: the most probable class.
        probabilities: class name to probability, most probable first.
    """

    file: str
    label: str
    probabilities: dict[str, float]


@named
class ServedModel:
    """A SavedModel of ``export_saved_model``, loaded.

    Attributes:
        labels: the names of the classes.
        multi_label: whether a clip has any number of classes, each with a sigmoid of its own; None
            of older versions, which did not write it.
        channels: of its clips: 3 for RGB, 2 for optical flow.
        sampling: how clips are made of videos.

    Args:
        folder: of the SavedModel.
        sampling: how clips are made of videos; None reads what was exported with the model.

    Raises:
        ValueError: when the folder holds no such model.
    """

    def __init__(
        self, folder: str | os.PathLike[str], sampling: ClipSampling | None = None
    ) -> None:
        path = Path(folder)
        if not (path / "saved_model.pb").is_file():
            raise ValueError(
                f"{path} holds no SavedModel (saved_model.pb). Expected vdroppath export's."
            )
        self._loaded = tf.saved_model.load(str(path))
        missing = {"serving_default", "labels"} - set(self._loaded.signatures)
        if missing:
            raise ValueError(f"{path}: the SavedModel has no signature {sorted(missing)}.")
        self._serve = self._loaded.signatures["serving_default"]
        self.channels = self._serve.structured_input_signature[1]["video"].shape[-1]
        told = self._loaded.signatures["labels"]()
        self.labels = tuple(name.decode() for name in told["labels"].numpy())
        self.multi_label = bool(told["multi_label"].numpy()) if "multi_label" in told else None
        self.sampling = read_sampling(path) if sampling is None else sampling

    def probabilities(self, clips: Any) -> np.ndarray:
        """``(batch, classes)`` for uint8 clips ``(batch, time, height, width, channels)``.

        Raises:
            ValueError: for clips of another rank, other channels or another dtype.
        """
        found = tf.TensorShape(clips.shape), tf.as_dtype(clips.dtype)
        if found[0].rank != 5 or found[0][-1] != self.channels or found[1] != tf.uint8:
            kind = "RGB" if self.channels == 3 else "optical flow"
            raise ValueError(
                f"Clips must be {kind}, uint8 (batch, time, height, width, {self.channels}). "
                f"Received: {found[1].name} of shape {tuple(clips.shape)}"
            )
        return self._serve(video=tf.constant(clips, tf.uint8))["probabilities"].numpy()

    def predict(
        self,
        videos: Sequence[str | os.PathLike[str]],
        *,
        video_stream: int | None = None,
        source_fps: float | None = None,
        on_error: Callable[[str, Exception], object] | None = None,
    ) -> Iterator[Answer]:
        """One answer a video, in order.

        Args:
            videos: files, or folders of frames; for a network of optical flow, folders of it.
            video_stream: number of the video stream of each file, from 0; None takes the one that a
                player shows.
            source_fps: frames a second of folders of frames, for a network whose clips are taken at
                a rate.
            on_error: called with a video that has no answer, and with what was raised; the next
                videos then are answered all the same. Defaults to None, which raises.

        Raises:
            VideoError: for a video that cannot be read, where there is no ``on_error``.
        """
        for video in videos:
            try:
                answer = self._answer(video, video_stream, source_fps)
            except (ValueError, OSError, tf.errors.OpError) as error:
                if on_error is None:
                    raise
                on_error(str(video), error)
            else:
                yield answer

    def _answer(
        self, video: str | os.PathLike[str], video_stream: int | None, source_fps: float | None
    ) -> Answer:
        manifest = one_video(
            video,
            self.labels,
            flow=self.channels == 2,
            video_stream=video_stream,
            source_fps=source_fps,
        )
        each = self.sampling.views("test")
        clips = evaluation_clips(manifest, self.sampling, batch_size=each, split="test")
        with video_errors():
            ((batch, _),) = list(clips)
        mean = self.probabilities(batch).mean(0)
        order = np.argsort(-mean, kind="stable")
        ranked = {self.labels[k]: float(mean[k]) for k in order}
        return Answer(str(video), self.labels[order[0]], ranked)
