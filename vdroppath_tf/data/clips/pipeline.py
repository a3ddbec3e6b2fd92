"""Batches of clips through tf.data."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.batches import even_out, label_kind, map_batches, with_options
from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.loader import Batch, ClipLoader
from vdroppath_tf.data.clips.mixing import mix
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.passes import Passes
from vdroppath_tf.data.clips.positions import batch_rng
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.names import named

__all__ = [
    "Augmentation",
    "ClipOrder",
    "ClipSampling",
    "FaultLog",
    "VideoCache",
    "evaluation_clips",
    "training_clips",
    "video_errors",
]


@named
def training_clips(
    manifest: Manifest,
    sampling: ClipSampling,
    *,
    batch_size: int,
    order: ClipOrder | None = None,
    num_parallel: int | None = None,
    cache_bytes: int | VideoCache = 0,
    faults: FaultLog | None = None,
    augment: Augmentation | None = None,
) -> tf.data.Dataset:
    """Makes a data set of shuffled, augmented training clips, without an incomplete last batch.

    The batch at step k of epoch e depends on (seed, e, k) only. With `ClipOrder(epochs=None)` the
    data set is endless and starts at (first_epoch, first_step). With a number, it has a known size,
    and each complete pass advances it by `epochs` epochs, so that `model.fit(clips, epochs=5)` sees
    a new order and new augmentation every time.

    A video that cannot be read is replaced by the next in the epoch's order, with a warning and a
    record in `faults`; with the same bad videos the batches are the same.

    Args:
        manifest: The videos.
        sampling: How clips are made of them.
        batch_size: The number of clips in a batch (over all replicas and hosts).
        order: The seed, the epochs, where to begin, and one host's part of each batch. Defaults to
            `ClipOrder()`: one epoch a pass, from the first on.
        num_parallel: The number of decoding threads. Defaults to one for each core.
        cache_bytes: The memory for decoded videos in bytes, or a `VideoCache` to share. Defaults to
            0, no cache.
        faults: Records bad videos, and limits their number. Defaults to a new `FaultLog()`.
        augment: The augmentation of clips after they are cut. Defaults to None, none.

    Returns:
        A data set of (clips uint8 `(batch, time, height, width, channels)`, labels int64
        `(batch,)`) with static shapes, where batch is `batch_size / n` on n hosts. With
        `augment.soft_labels`, labels are float32 `(batch, classes)`; also for a `multi_label`
        manifest, with 1 for each class of a video and 0 for the others.

    Raises:
        ValueError: If `batch_size` exceeds the number of videos or cannot be divided evenly, a
            position does not exist, clips would be flipped although their labels have a direction,
            or parts of a batch would be mixed.
        VideoError: If no video can be read. If more videos are bad than `faults` allows, reading
            the data set raises tf.data's error, or this one within `video_errors()`.

    Example:
        ```python
        clips = training_clips(
            open_manifest("train.txt", root="videos"),
            ClipSampling(frames=16, stride=2, short_edge=64, crop=56, flip=True),
            batch_size=4,
        )
        batch, labels = next(iter(clips))
        ```
    """
    sampling.check_flip(manifest)
    order = ClipOrder() if order is None else order
    faults = FaultLog() if faults is None else faults
    loader = _loader(manifest, sampling, "train", num_parallel, cache_bytes, faults, augment)
    if not 1 <= batch_size <= len(manifest):
        raise ValueError(
            f"batch_size must be 1 to {len(manifest)}, the number of videos in {manifest.source}. "
            f"Received: {batch_size}."
        )
    steps = len(manifest) // batch_size
    passes, rows = Passes(*order.span(steps)), order.rows(batch_size)

    def load(position: np.int64) -> Batch:
        epoch, step = divmod(int(position), steps)
        clips, labels = loader.training_batch(order.seed, epoch, step, batch_size, rows)
        if augment is None or not augment.soft_labels:
            return clips, labels
        rng = batch_rng(order.seed, epoch, step)
        return mix(clips, labels, augment, classes=manifest.num_classes, rng=rng)

    whole = len(rows) == batch_size
    kind = label_kind(manifest, len(rows))
    if augment is not None and augment.soft_labels:
        if not whole:
            raise ValueError(
                "mixup, cutmix and label smoothing work on whole batches; shard makes parts of "
                f"them. Received: {augment}, shard {order.shard}."
            )
        if manifest.multi_label and augment.label_smoothing:
            raise ValueError(
                f"{manifest.source}: its videos have several classes each, and label smoothing is "
                "for single-label videos. Pass label_smoothing=0."
            )
        kind = tf.TensorSpec((len(rows), manifest.num_classes), tf.float32)
    clips = map_batches(passes.positions(), load, loader.clip_shape, kind)
    return with_options(passes.deliver(clips), whole=whole)


@named
def evaluation_clips(
    manifest: Manifest,
    sampling: ClipSampling,
    *,
    batch_size: int,
    split: str = "validation",
    num_parallel: int | None = None,
    cache_bytes: int | VideoCache = 0,
    faults: FaultLog | None = None,
) -> tf.data.Dataset:
    """Makes a data set of the clips of every video, in the order of the manifest, not augmented.

    With `faults`, a video that cannot be read is left out, with a warning and a record there, which
    counts the scored videos. Without it, a bad video is an error, since the number of scored videos
    would be unknown. Take labels from this data set, not from the manifest.

    Args:
        manifest: The videos.
        sampling: How clips are made of them; crops are central, and nothing is drawn.
        batch_size: The number of clips in a batch; the last batch may be smaller.
        split: "validation", one clip from the centre of each video, or "test",
            `sampling.clips_per_video` clips spread over it, each in `sampling.crops_per_clip`
            crops. The views of a video are adjacent and in one batch, so the mean over
            `reshape(-1, sampling.views("test"), classes)` scores videos. Defaults to "validation".
        num_parallel: The number of decoding threads. Defaults to one for each core.
        cache_bytes: The memory for decoded videos in bytes, or a `VideoCache` to share. Defaults to
            0, no cache.
        faults: Records bad videos, and limits their number. Defaults to None: none is allowed.

    Returns:
        A data set of (clips uint8 `(batch, time, height, width, 3)`, labels int64 `(batch,)`, or
        float32 `(batch, classes)` for a `multi_label` manifest). Its number of batches counts all
        videos, as Keras expects. Videos that are left out make later batches smaller; a batch is
        empty only if fewer videos are left than there are batches.

    Raises:
        ValueError: If the split is unknown, there are several short edges, or a batch would divide
            the clips of a video.
        VideoError: See `training_clips`.

    Example:
        ```python
        sampling = ClipSampling(frames=16, short_edge=64, crop=56)
        clips = evaluation_clips(open_manifest("val.txt", root="videos"), sampling, batch_size=8)
        for batch, labels in clips:
            print(batch.shape, labels.numpy())  # (2, 16, 56, 56, 3) [0 1]
        ```
    """
    if split not in ("validation", "test"):
        raise ValueError(f"split must be 'validation' or 'test'. Received: {split!r}.")
    sampling.fixed_short_edge()
    each = sampling.views(split)
    if batch_size < 1 or batch_size % each:
        raise ValueError(
            f"batch_size must be a multiple of the {each} clips of a video. Received: {batch_size}."
        )
    loader = _loader(manifest, sampling, split, num_parallel, cache_bytes, faults)
    count = batch_size // each

    def load(first: np.int64) -> Batch:
        return loader.evaluation_batch(int(first), count)

    firsts = tf.data.Dataset.range(0, len(manifest), count)
    strict = loader.faults.strict
    whole = batch_size if strict and len(manifest) % count == 0 else None
    kind = label_kind(manifest, whole)
    clips = map_batches(firsts, load, loader.clip_shape, kind).map(
        lambda clip, label, _: (clip, label)
    )
    if not strict:
        clips = even_out(clips, batch_size, each)
    return with_options(clips)


@contextlib.contextmanager
def video_errors() -> Iterator[None]:
    """Converts tf.data's error about a video back into the original `VideoError`.

    Example:
        ```python
        with video_errors():
            model.fit(train_clips)
        ```
    """
    try:
        yield
    except tf.errors.OpError as error:
        said = r"(?:VideoError|ClipSizeError): (.*?)\n\s*\n?Traceback "
        found = re.search(said, error.message, re.DOTALL)
        if found is None:
            raise
        raise VideoError(found[1].strip()) from None


def _loader(
    manifest: Manifest,
    sampling: ClipSampling,
    split: str,
    num_parallel: int | None,
    cache_bytes: int | VideoCache,
    faults: FaultLog | None,
    augment: Augmentation | None = None,
) -> ClipLoader:
    workers = len(os.sched_getaffinity(0)) if num_parallel is None else num_parallel
    if workers < 1:
        raise ValueError(f"num_parallel must be at least 1. Received: {num_parallel}.")
    cache = cache_bytes if isinstance(cache_bytes, VideoCache) else VideoCache(cache_bytes)
    return ClipLoader(
        manifest,
        sampling,
        cache=cache,
        workers=workers,
        split=split,
        faults=faults,
        augment=augment,
    )
