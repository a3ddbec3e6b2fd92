"""Trims TensorBoard's event files when a run resumes, so that no point appears twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from absl import logging

from vdroppath_tf.files import replacing
from vdroppath_tf.names import named


@named
def drop_later_points(folder: Path, last: int) -> None:
    """Removes the points of later steps, and incomplete records of a killed process.

    A run writes an epoch's points before its checkpoint. So a run that resumes from a checkpoint
    may find points of epochs that it is about to train again.

    Args:
        folder: The folder of the event files, which need not exist.
        last: The last step whose points are kept: the number of finished epochs in the whole run.
    """
    for file in sorted(folder.glob("events.out.tfevents.*")) if folder.is_dir() else ():
        records = list(_records(file))
        kept = [record for record in records if _step(record) <= last]
        size = sum(16 + len(record) for record in kept)  # with its length and two checksums
        if size == file.stat().st_size:
            continue
        with replacing(file, shared=False) as new, tf.io.TFRecordWriter(str(new)) as writer:
            for record in kept:
                writer.write(record)
        logging.info("%s: points after epoch %d were removed; they are trained again.", file, last)


def _records(file: Path) -> Iterator[bytes]:
    """Yields the complete records of an event file, up to where it is damaged."""
    try:
        for record in tf.data.TFRecordDataset(str(file)):
            yield record.numpy()
    except tf.errors.OpError as error:
        logging.warning("%s: is damaged; later records are dropped (%s).", file, error.message)


def _step(record: bytes) -> int:
    try:
        return tf.compat.v1.Event.FromString(record).step
    except Exception:  # protobuf's error has no public name in all supported versions
        return 2**63 - 1
