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
    """Shuffled, augmented training clips; a rest smaller than a batch is left out of each epoch.

    The batch at step k of epoch e depends on (seed, e, k) only, however it was reached. With
    `ClipOrder(epochs=None)` the data set is endless and starts at (first_epoch, first_step). With a
    number, it has a known size, and each complete pass over it moves on by `epochs` epochs, so that
    `model.fit(clips, epochs=5)` sees a new order and new augmentation every time.

    A video that cannot be read is replaced by the next of the epoch's order, with a warning and a
    note in `faults`; with the same bad videos the batches are the same.

    Args:
        manifest: the videos.
        sampling: how clips are made of them.
        batch_size: clips in a batch (over all replicas and hosts).
        order: seed, epochs, where to begin, and one host's part of each batch. Default
            `ClipOrder()`: one epoch at a time, from the first on.
        num_parallel: threads that decode; default one for each core.
        cache_bytes: room to keep decoded videos in memory, or a `VideoCache` to share.
        faults: notes bad videos, and limits how many may be; default a `FaultLog()` of its own.
        augment: what is done to clips after they are cut; None for nothing.

    Returns:
        A data set of (clips uint8 `(batch, time, height, width, channels)`, labels int64
        `(batch,)`) with static shapes, batch being `batch_size / n` on n hosts. Where
        `augment.soft_labels`, labels are float32 `(batch, classes)`; so they are of a manifest of
        `multi_label`, 1 for each class of a video and 0 for others.

    Raises:
        ValueError: batch_size exceeds the number of videos or cannot be shared evenly, a position
            that does not exist, clips would be flipped though their labels have a direction, or
            parts of a batch would be mixed.
        VideoError: no video can be read. More bad ones than `faults` allows are an error when
            their turn comes, by tf.data's error, or by this one within `video_errors()`.
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
                "for one class a video. Pass label_smoothing=0."
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
    """Clips of every video once, in the manifest's order, without augmentation.

    With `faults`, a video that cannot be read is left out, with a warning and a note there, which
    knows how many were scored. Without, it is an error, as nobody would learn the denominator. So
    take labels from here, never from the manifest.

    Args:
        manifest: the videos.
        sampling: how clips are made of them; crops are central, nothing is drawn.
        batch_size: clips in a batch; the last one may hold fewer.
        split: "validation", one clip from the centre of each video, or "test",
            `sampling.clips_per_video` clips spread over it, each in `sampling.crops_per_clip`
            crops. The views of a video are adjacent and in one batch, so the mean over
            `reshape(-1, sampling.views("test"), classes)` scores videos.
        num_parallel: threads that decode; default one for each core.
        cache_bytes: room to keep decoded videos in memory, or a `VideoCache` to share.
        faults: notes bad videos, and limits how many may be; default none may be.

    Returns:
        A data set of (clips uint8 `(batch, time, height, width, 3)`, labels int64 `(batch,)`, or
        float32 `(batch, classes)` of a manifest of `multi_label`), of known size: as many
        batches as if all videos were good, so that Keras is not surprised by their end. Those left
        out make later batches smaller, and one is empty only where fewer videos are left than there
        are batches.

    Raises:
        ValueError: another split, several short edges, or a batch that would divide a video.
        VideoError: as for `training_clips`.
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
    """Turns tf.data's error about a video back into the `VideoError` it began as.

    Example:
        with video_errors():
            model.fit(train_clips)
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
