"""score_videos: a network's accuracy on a list of videos, by a named protocol."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.pipeline import VideoCache, evaluation_clips, video_errors
from vdroppath_tf.data.clips.protocols import Protocol
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.names import named
from vdroppath_tf.scoring.video_scores import VideoScores

Probabilities = Callable[[np.ndarray], np.ndarray]
"""A function from uint8 clips ``(batch, time, height, width, 3)`` to ``(batch, classes)``."""


@named
def score_videos(
    network: keras.Model | Probabilities,
    manifest: Manifest,
    sampling: ClipSampling,
    protocol: Protocol,
    *,
    batch_size: int = 8,
    cache: VideoCache | None = None,
    faults: FaultLog | None = None,
    on_video: Callable[[int], object] = lambda _: None,
) -> VideoScores:
    """Scores videos by the mean softmax over their views (multi-label: mean sigmoids).

    Memory holds the clips of a few videos, and the network processes at most ``batch_size`` clips
    at a time, however many views a video has.

    Args:
        network: ``keras.Model``, a derived network or a template (for the strategy it runs); or a
            function that gives probabilities, such as ``ServedModel.probabilities``.
        manifest: ``Manifest`` of the videos, with the network's classes.
        sampling: ``ClipSampling``, how the network's clips are sampled: ``recipe.evaluation``.
        protocol: ``Protocol``, the views of each video.
        batch_size: int, the number of clips in a step of the network. Defaults to 8.
        cache: ``VideoCache``, memory for decoded videos. Defaults to None, which keeps none.
        faults: ``FaultLog``, which records videos that cannot be read, and raises if there are too
            many; they are left out of the accuracy, and the result counts them.
        on_video: a callable, called with the number of videos scored since the last call, for a
            progress bar.

    Returns:
        ``VideoScores``: the accuracies, with the number of scored videos.

    Raises:
        ValueError: If ``batch_size`` is below 1, the manifest has more classes than the network, an
            answer is not a number, or the protocol does not fit the sampling.
        VideoError: If more videos are unreadable than ``faults`` allows.

    Example:
    ```python
    network, recipe, labels = vdroppath_tf.training.load_model("run/derived.keras")
    protocol = vdroppath_tf.data.PROTOCOLS["paper-1clip"]
    print(score_videos(network, test_videos, recipe.evaluation, protocol).top1)
    ```
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1. Received: {batch_size}.")
    faults = FaultLog() if faults is None else faults
    views = protocol.sampling(sampling)
    cache = VideoCache() if cache is None else cache
    clips = view_clips(manifest, views, batch_size=batch_size, cache=cache, faults=faults)
    if isinstance(network, keras.Model):
        manifest.check_kind(multi_label=bool(getattr(network, "multi_label", False)))
    answer = probabilities_of(network) if isinstance(network, keras.Model) else network
    means, truths = [], []
    with video_errors():
        for batch, labels in clips:
            mean = mean_over_views(in_steps(answer, batch.numpy(), batch_size), protocol.views)
            means.append(mean)
            truths.append(labels.numpy()[:: protocol.views])
            on_video(len(mean))
    bad = {fault.path for fault in faults.faults("test")}
    read = tuple(entry for entry in manifest if entry.path not in bad)
    return VideoScores(
        protocol,
        views,
        manifest,
        videos=tuple(entry.path for entry in read),
        truths=np.concatenate(truths),
        probabilities=np.concatenate(means),
    )


def view_clips(
    manifest: Manifest,
    views: ClipSampling,
    *,
    batch_size: int,
    cache: VideoCache,
    faults: FaultLog,
) -> tf.data.Dataset:
    """Returns the views of each video in batches that hold whole videos.

    Args:
        manifest: The videos.
        views: How the views are sampled, ``protocol.sampling(recipe.evaluation)``.
        batch_size: The number of clips in a batch, rounded down to whole videos, but at least one.
        cache: Memory for decoded videos.
        faults: Records videos that cannot be read, which are left out.

    Returns:
        Batches of clips and labels; see ``evaluation_clips``.
    """
    each = views.views("test")
    return evaluation_clips(
        manifest,
        views,
        batch_size=max(1, batch_size // each) * each,
        split="test",
        cache_bytes=cache,
        faults=faults,
    )


def mean_over_views(probabilities: np.ndarray, views: int) -> np.ndarray:
    """Averages ``(videos * views, classes)``, views adjacent, to ``(videos, classes)``."""
    return probabilities.reshape(-1, views, probabilities.shape[-1]).mean(1)


def in_steps(answer: Probabilities, clips: np.ndarray, batch_size: int) -> np.ndarray:
    """Applies a network to clips, ``batch_size`` clips at a time."""
    steps = range(0, len(clips), batch_size)
    return np.concatenate([answer(clips[k : k + batch_size]) for k in steps])


@named
def probabilities_of(model: keras.Model) -> Probabilities:
    """Returns a function from clips to the probabilities of their classes.

    Args:
        model: ``keras.Model``, a derived network or a template (for the strategy it runs).

    Returns:
        A function from uint8 ``(batch, time, height, width, channels)`` to float32
        ``(batch, classes)``: a softmax, or sigmoids if a clip has several classes. It is traced
        once for each size of clips.

    Example:
    ```python
    network = vdroppath_tf.zoo.derived_micro("S S+ST ST ST - ST", num_classes=4)
    answer = vdroppath_tf.scoring.probabilities_of(network)
    print(answer(np.zeros((2, 8, 32, 32, 3), "uint8")).sum(1))
    ```
    """
    chances = tf.sigmoid if getattr(model, "multi_label", False) else tf.nn.softmax

    @tf.function(reduce_retracing=True, autograph=False)
    def run(clips: tf.Tensor) -> tf.Tensor:
        return chances(tf.cast(model(clips, training=False), tf.float32))

    return lambda clips: run(tf.constant(clips)).numpy()
