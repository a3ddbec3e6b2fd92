"""The signatures of an exported network: their inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.serving.refusals import checked_clips, checked_pictures, finite
from vdroppath_tf.serving.views import Views, decoded

Sizes = tuple[int | None, int | None, int | None, int]
Answers = dict[str, tf.Tensor]
TOP = 5  # the number of classes in top_labels and top_scores


@dataclass(frozen=True)
class Served:
    """A network to be served.

    Attributes:
        logits: Returns its logits for uint8 clips.
        sizes: The frames, height, width and channels of the clips; None for an open size.
        least: The frames, height and width of the smallest clip that it takes.
        labels: The names of the classes.
        multi_label: Whether a clip may have any number of classes, each with a separate sigmoid.
        sampling: How clips are made of videos; None if a video is a clip.
    """

    logits: Callable[[tf.Tensor], tf.Tensor]
    sizes: Sizes
    least: tuple[int, int, int]
    labels: Sequence[str]
    multi_label: bool
    sampling: ClipSampling | None

    def signatures(self) -> dict[str, Any]:
        """Returns the signatures by name, ``serving_default`` first.

        * ``serving_default``: ``video``, uint8 ``(batch, time, height, width, channels)``.
        * ``jpeg_frames``: ``jpeg_frames``, string ``(batch, time)``, if clips are RGB.
        * ``clips``: ``clips``, as the network takes them, without any processing.
        * ``labels``: no input.
        """
        spec = tf.TensorSpec((None, *self.sizes), tf.uint8, name="clips")
        # Traced once, for all signatures.
        core = tf.function(self._logits_of, input_signature=[spec], autograph=False)
        found = {"serving_default": self._video(core)}
        if self.sizes[3] == 3:
            found["jpeg_frames"] = self._pictures(core)
        found["clips"] = self._clips(core)
        return found | {"labels": self._labels()}

    def _logits_of(self, clips: tf.Tensor) -> tf.Tensor:
        return finite(tf.cast(self.logits(clips), tf.float32))

    def _video(self, core: Any) -> Any:
        sizes = self.sizes if self.sampling is None else (None, None, None, self.sizes[3])
        spec = tf.TensorSpec((None, *sizes), tf.uint8, name="video")
        wanted, least = self._of_videos()

        @tf.function(input_signature=[spec], autograph=False)
        def serve(video: tf.Tensor) -> Answers:
            checked = checked_clips(video, "video", wanted, least)
            if self.sampling is None:
                return self._answers(core(checked), None)
            clips, views = Views(self.sampling).of_video(checked)
            return self._answers(core(clips), views)

        return serve

    def _of_videos(self) -> tuple[Sizes, tuple[int, int, int]]:
        """Returns the fixed and the smallest sizes of the videos from which clips are made."""
        if self.sampling is None:
            return self.sizes, self.least
        frames, edge = self.sampling.frames, self.sampling.fixed_short_edge()
        if edge is not None:
            return (None, None, None, self.sizes[3]), (frames, 1, 1)
        if self.sampling.crop is not None:
            return (None, None, None, self.sizes[3]), (frames, *self.sampling.crop_size)
        return (None, *self.sizes[1:]), (max(frames, self.least[0]), *self.least[1:])

    def _pictures(self, core: Any) -> Any:
        spec = tf.TensorSpec((None, None), tf.string, name="jpeg_frames")
        least = self.least[0] if self.sampling is None else self.sampling.frames

        @tf.function(input_signature=[spec], autograph=False)
        def serve(jpeg_frames: tf.Tensor) -> Answers:
            checked = checked_pictures(jpeg_frames, "jpeg_frames", least)
            if self.sampling is not None:
                clips, views = Views(self.sampling).of_pictures(checked)
                return self._answers(core(clips), views)
            flat = decoded(tf.reshape(checked, [-1]), lambda one: one, (None, None, 3))
            video = tf.reshape(flat, tf.concat([tf.shape(checked), tf.shape(flat)[1:]], 0))
            clips = checked_clips(video, "a video of jpeg_frames", self.sizes, self.least)
            return self._answers(core(tf.ensure_shape(clips, (None, *self.sizes))), None)

        return serve

    def _clips(self, core: Any) -> Any:
        spec = tf.TensorSpec((None, *self.sizes), tf.uint8, name="clips")

        @tf.function(input_signature=[spec], autograph=False)
        def serve(clips: tf.Tensor) -> Answers:
            return self._answers(core(checked_clips(clips, "clips", self.sizes, self.least)), None)

        return serve

    def _answers(self, logits: tf.Tensor, views: tf.Tensor | None) -> Answers:
        """Returns logits and probabilities, averaged over a video's views, and the best classes."""
        classes = len(self.labels)
        chances = tf.sigmoid(logits) if self.multi_label else tf.nn.softmax(logits)
        if views is not None:
            shape = tf.stack([-1, views, classes])
            logits, chances = (
                tf.reduce_mean(tf.reshape(one, shape), 1) for one in (logits, chances)
            )
        scores, places = tf.math.top_k(chances, min(TOP, classes))
        labels = tf.gather(tf.constant(list(self.labels)), places)
        return {
            "probabilities": tf.ensure_shape(chances, (None, classes)),
            "logits": tf.ensure_shape(logits, (None, classes)),
            "top_labels": labels,
            "top_scores": scores,
        }

    def _labels(self) -> Any:
        names, several = list(self.labels), self.multi_label
        return tf.function(
            lambda: {"labels": tf.constant(names), "multi_label": tf.constant(several)},
            input_signature=[],
            autograph=False,
        )
