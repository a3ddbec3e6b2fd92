"""Training clips out of records by TensorFlow's operations alone: tf.data service can run them."""

from __future__ import annotations

import os
from collections.abc import Sequence

import tensorflow as tf

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.records.index import Index
from vdroppath_tf.data.records.reader import class_numbers, read_index, shard_path
from vdroppath_tf.data.records.stream_ops import ClipOps
from vdroppath_tf.data.remote.urls import shown
from vdroppath_tf.names import named

_FILES = 8  # shards read at once
_SHUFFLED = 128  # encoded records, of a few hundred KB to some MB; shards are mixed already


@named
def stream_clips(
    folder: str | os.PathLike[str],
    sampling: ClipSampling,
    *,
    batch_size: int,
    seed: int = 0,
    epochs: int | None = None,
    service: str | None = None,
    shuffle_buffer: int = _SHUFFLED,
    labels: Sequence[str] | None = None,
) -> tf.data.Dataset:
    """Shuffled training clips out of records, decoded here or by the workers of tf.data service.

    Shards are read in an order drawn anew each epoch, their records mixed in a buffer. Clips are
    drawn as `training_clips` draws them, but from other random numbers; frames are decoded and
    scaled by TensorFlow, whose rounding differs. What is lost against `training_clips`:

    * a run that was stopped cannot go on at the same batch: it starts with a new seed;
    * the end of an epoch is not sharp: the buffer mixes the last records of one with the first of
      the next. Without `service`, the order is the same in each run; with it, it depends on which
      worker is faster. What is drawn for a video in an epoch is the same in both cases;
    * with `service`, each record comes at most once an epoch: those of a worker that dies are lost;
    * with `ClipSampling(fps=...)` a record without times stops the run: one of pictures, or of an
      older version;
    * a bad record stops the run with tf.data's error. Records are compared to their checksums.

    Args:
        folder: a folder that `write_records` wrote, or a URL that TensorFlow itself can read, such
            as `gs://`. Workers must reach it under the same name.
        sampling: how clips are made of videos.
        batch_size: clips in a batch; what is left at the end of the last epoch is dropped, with
            `service` by each worker.
        seed: of order, sampling and augmentation.
        epochs: how often each record comes; None never ends: then pass `steps_per_epoch` to
            `model.fit`. Each pass over a data set begins with the first epoch.
        service: address of a dispatcher of tf.data service, `grpc://host:port`; None decodes here.
        shuffle_buffer: encoded records held to mix them.
        labels: names of the classes in their order, see `read_records`.

    Returns:
        A data set of (clips uint8 `(batch, time, height, width, 3)`, labels int64 `(batch,)`); of
        records of several classes each float32 `(batch, classes)` of 0 and 1.

    Raises:
        ManifestError: there is no index, it is damaged, or `labels` lacks a class.
        ValueError: an argument is out of range, or clips would be flipped though their labels have
            a direction.
    """
    index = read_index(folder)
    numbers = class_numbers(index.labels, labels, folder)
    sampling.check_flip(Manifest((), index.labels, os.fspath(folder), index.directional))
    if sampling.square_pixels and not index.square_pixels:
        raise ValueError(
            f"{folder}: its frames were converted in the size in which they were stored, and "
            "square_pixels=True is about another one. Convert the videos again with "
            "--square_pixels, or leave it out."
        )
    several = max(numbers, default=0) + 1 if labels is None else len(labels)
    size = _size(index, sampling, folder)
    ops = ClipOps(sampling, seed, size, numbers, several if index.multi_label else 0)
    total = len(index.records)
    if batch_size < 1 or shuffle_buffer < 1 or (epochs is not None and epochs < 1):
        raise ValueError(
            "batch_size, shuffle_buffer and epochs must be at least 1. Received: "
            f"{batch_size}, {shuffle_buffer}, {epochs}."
        )
    if epochs is not None and batch_size > epochs * total:
        raise ValueError(f"batch_size is {batch_size}, but {epochs * total} clips are all.")
    clips = _records(folder, index, seed, epochs)
    clips = clips.shuffle(shuffle_buffer, seed=seed, reshuffle_each_iteration=False)
    clips = clips.map(ops.clip, num_parallel_calls=tf.data.AUTOTUNE)
    clips = clips.batch(batch_size, drop_remainder=True)
    if service is not None:
        clips = clips.apply(
            tf.data.experimental.service.distribute(
                processing_mode=tf.data.experimental.service.ShardingPolicy.DYNAMIC,
                service=service,
            )
        )
    elif epochs is not None:
        size = tf.data.experimental.assert_cardinality(epochs * total // batch_size)
        clips = clips.apply(size)
    return clips.prefetch(tf.data.AUTOTUNE)


def _records(
    folder: str | os.PathLike[str], index: Index, seed: int, epochs: int | None
) -> tf.data.Dataset:
    """(epoch, record), shards in an order of each epoch. The service hands shards to workers."""
    files = [shard_path(folder, shard) for shard in index.shards]
    count = len(files)

    def shard(position: tf.Tensor) -> tf.data.Dataset:
        epoch = position // count
        names = tf.random.experimental.stateless_shuffle(files, seed=tf.stack([seed, epoch]))
        records = tf.data.TFRecordDataset(names[position % count])
        return records.map(lambda record: (epoch, record))

    last = tf.int64.max if epochs is None else epochs * count
    positions = tf.data.Dataset.range(last)
    return positions.interleave(
        shard,
        cycle_length=min(_FILES, count),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _size(index: Index, sampling: ClipSampling, folder: str | os.PathLike[str]) -> tuple[int, int]:
    """Height and width of the clips."""
    sizes = {sampling.clip_size(r.height, r.width): r.name for r in index.records}
    if len(sizes) > 1:
        raise ManifestError(
            f"{shown(os.fspath(folder))}: its videos give clips of {len(sizes)} sizes, "
            f"as {list(sizes)[:2]} of {list(sizes.values())[:2]}. "
            "Pass short_edge= and crop= to bring them to one size."
        )
    return next(iter(sizes))
