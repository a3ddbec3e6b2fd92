"""Features of videos: the output of a layer for the views of a protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from vdroppath_tf.data.clips.crops import ClipSizeError
from vdroppath_tf.data.clips.labels import empty_labels, set_label
from vdroppath_tf.data.clips.protocols import Protocol
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import VideoClips, clips_of
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.parallel import map_ahead
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.names import named
from vdroppath_tf.scoring.layer_outputs import LayerOutputs
from vdroppath_tf.scoring.videos import in_steps


@named
class VideoFeatures(NamedTuple):
    """The features of one video.

    Attributes:
        entry: The video.
        features: float32, ``(channels,)`` after the axes that are kept: views, time and space, in
            this order.

    Example:
    ```python
    outputs = LayerOutputs(network, "pool")
    protocol = vdroppath_tf.data.PROTOCOLS["paper-1clip"]
    for found in video_features(outputs, test_videos, sampling, protocol):
        print(found.entry.path, found.features.shape)
    ```
    """

    entry: VideoEntry
    features: np.ndarray


@named
def video_features(
    outputs: LayerOutputs,
    manifest: Manifest,
    sampling: ClipSampling,
    protocol: Protocol,
    *,
    batch_size: int = 8,
    faults: FaultLog | None = None,
) -> Iterator[VideoFeatures]:
    """Yields the features of every video that can be read, in order.

    Videos are decoded in threads while the network runs; memory holds only a few of them at a time.

    Args:
        outputs: LayerOutputs, the layer and the axes that are averaged.
        manifest: Manifest, the videos.
        sampling: ClipSampling, how the network's clips are sampled: ``recipe.evaluation``.
        protocol: Protocol, the views of each video.
        batch_size: int, the maximal number of clips in a step of the network. Defaults to 8.
        faults: FaultLog, which records videos that cannot be read, and raises if there are too
            many; they are left out.

    Yields:
        ``VideoFeatures``, one for each video.

    Raises:
        ValueError: If ``batch_size`` is below 1, or the features of two videos differ in shape.
        VideoError: If more videos are unreadable than ``faults`` allows.

    Example:
    ```python
    protocol = vdroppath_tf.data.PROTOCOLS["paper-1clip"]
    for found in video_features(LayerOutputs(network, "pool"), test_videos, sampling, protocol):
        print(found.features.shape)
    ```
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1. Received: {batch_size}.")
    faults = FaultLog() if faults is None else faults
    faults.expect("test", manifest)
    shape: tuple[int, ...] | None = None
    for batch in _batches(manifest, protocol.sampling(sampling), batch_size, faults):
        entries, clips = [entry for entry, _ in batch], np.concatenate([c for _, c in batch])
        found = in_steps(outputs, clips, batch_size)
        for entry, features in zip(entries, np.split(found, len(entries)), strict=True):
            one = features if "views" in outputs.keep else features.mean(0)
            if shape is not None and one.shape != shape:
                raise ValueError(
                    f"{entry.path}: its features have shape {one.shape}, those of earlier videos "
                    f"{shape}. Drop the axis that differs from keep=, or use a crop of one size."
                )
            shape = one.shape
            yield VideoFeatures(entry, one)


def _batches(
    manifest: Manifest, views: ClipSampling, batch_size: int, faults: FaultLog
) -> Iterator[list[tuple[VideoEntry, np.ndarray]]]:
    """Yields groups of videos with clips of one size, as many as fit in a step of the network."""
    waiting: list[tuple[VideoEntry, np.ndarray]] = []
    room = max(1, batch_size // views.views("test"))
    for entry, found in map_ahead(_decoder(views), manifest, ahead=2):
        if isinstance(found, VideoError):
            faults.bad("test", entry, found)
            faults.raise_if_too_many("test")
            continue
        faults.good("test", entry)
        if waiting and waiting[0][1].shape != found.clips.shape:
            yield waiting
            waiting = []
        waiting.append((entry, found.clips))
        if len(waiting) == room:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _decoder(
    views: ClipSampling,
) -> Callable[[VideoEntry], tuple[VideoEntry, VideoClips | VideoError]]:
    def decode(entry: VideoEntry) -> tuple[VideoEntry, VideoClips | VideoError]:
        try:
            return entry, clips_of(entry, views)
        except ClipSizeError:  # an error of the settings, not of the video
            raise
        except VideoError as error:
            return entry, error

    return decode


def labels_of(manifest: Manifest, entries: Sequence[VideoEntry]) -> np.ndarray:
    """Returns the classes of videos: int64 numbers, or float32 rows of 0 and 1 (multi-label)."""
    labels = empty_labels(manifest, len(entries))
    for row, entry in enumerate(entries):
        set_label(labels, row, entry)
    return labels
