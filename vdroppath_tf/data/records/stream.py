"""Training clips out of records with TensorFlow operations only, which tf.data service can run."""

from __future__ import annotations

import os
from collections.abc import Sequence

import tensorflow as tf

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.manifest import Manifest, ManifestError
from vdroppath_tf.data.records.index import Index
from vdroppath_tf.data.records.reader import class_numbers, read_index, shard_path
from vdroppath_tf.data.records.stream_ops import ClipOps
from vdroppath_tf.data.remote.urls import is_remote, shown
from vdroppath_tf.files import open_regular
from vdroppath_tf.names import named

_FILES = 8  # shards read at once
_SHUFFLED = 128  # encoded records of 0.1 to some MB; few suffice, as shards are mixed already


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
    """Makes a data set of shuffled training clips out of records, for tf.data service too.

    Shards are read in a new random order each epoch, and their records are mixed in a buffer. Clips
    are drawn as by `training_clips`, but from other random numbers; TensorFlow decodes and scales
    frames, with different rounding. The limits compared to `training_clips`:

    * A run that was stopped cannot resume at the same batch: it starts with a new seed.
    * The end of an epoch is not sharp: the buffer mixes the last records of one epoch with the
      first of the next. Without `service`, the order is the same in each run; with it, the order
      depends on the speed of the workers. The draws for a video in an epoch are always the same.
    * With `service`, each record comes at most once an epoch: the records of a worker that dies are
      lost.
    * With `ClipSampling(fps=...)`, a record without times (made from pictures, or by an older
      version) stops the run.
    * A bad record stops the run with tf.data's error. The checksums of records are compared.

    Args:
        folder: A folder that `write_records` wrote, or a URL that TensorFlow itself can read, such
            as `gs://`. Workers must reach it under the same name.
        sampling: How clips are made of videos.
        batch_size: The number of clips in a batch; an incomplete last batch is dropped, with
            `service` by each worker.
        seed: The seed of order, sampling and augmentation. Defaults to 0.
        epochs: How often each record comes. Defaults to None, endlessly: then pass
            `steps_per_epoch` to `model.fit`. Each pass over the data set begins with the first
            epoch.
        service: The address of a dispatcher of tf.data service, `grpc://host:port`. Defaults to
            None, which decodes in this process.
        shuffle_buffer: The number of encoded records that are mixed. Defaults to 128.
        labels: The names of the classes, in order, see `read_records`.

    Returns:
        A data set of (clips uint8 `(batch, time, height, width, 3)`, labels int64 `(batch,)`, or
        for multi-label records float32 `(batch, classes)` of 0 and 1).

    Raises:
        ManifestError: If there is no index, it is damaged, or `labels` lacks a class.
        ValueError: If an argument is out of range, or clips would be flipped although their labels
            have a direction.

    Example:
        ```python
        write_records("records", open_manifest("train.txt", root="videos"))
        sampling = ClipSampling(frames=8, stride=2, short_edge=64, crop=56, flip=True)
        clips = stream_clips("records", sampling, batch_size=4)
        batch, labels = next(iter(clips))
        ```
    """
    index = read_index(folder)
    numbers = class_numbers(index.labels, labels, folder)
    sampling.check_flip(Manifest((), index.labels, os.fspath(folder), index.directional))
    if sampling.square_pixels and not index.square_pixels:
        raise ValueError(
            f"{folder}: its frames were converted in the stored size, whereas square_pixels=True "
            "asks for the size that players show. Convert the videos again with "
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
        raise ValueError(f"batch_size is {batch_size}, but there are only {epochs * total} clips.")
    clips = _records(folder, index, seed, epochs)
    clips = clips.shuffle(shuffle_buffer, seed=seed, reshuffle_each_iteration=False)
    # The graph's branches are TensorFlow's own operations: AutoGraph has nothing to convert.
    read = tf.autograph.experimental.do_not_convert(ops.clip)
    clips = clips.map(read, num_parallel_calls=tf.data.AUTOTUNE)
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
    """Yields (epoch, record), with shards in a new order each epoch, for workers to share."""
    files = [shard_path(folder, shard) for shard in index.shards]
    count = len(files)
    for file in files:
        if not is_remote(file):
            # TensorFlow waits at a pipe until somebody writes; 10,000 shards take 0.3 s
            open_regular(file).close()

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
    """Returns the height and width of the clips."""
    sizes = {sampling.clip_size(r.height, r.width): r.name for r in index.records}
    if len(sizes) > 1:
        raise ManifestError(
            f"{shown(os.fspath(folder))}: its videos give clips of {len(sizes)} sizes, "
            f"such as {list(sizes)[:2]} for {list(sizes.values())[:2]}. "
            "Pass short_edge= and crop= to bring them to one size."
        )
    return next(iter(sizes))
