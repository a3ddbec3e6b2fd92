"""Reads clips with this package in one thread: the counterpart for feed_against_torch.py.

    PYTHONPATH=scripts:tests/data python scripts/benchmarks/keras_feed.py FOLDER

Writes the videos, their records, and ``clips.json``, the list of the clips that
``training_clips`` reads, for ``torch_feed.py``; then runs the job that each line of stdin names.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import barcode
import numpy as np
import tensorflow as tf
from film_clips import cut_films
from in_turns import answer

from vdroppath_tf.data.clips.crops import crop_boxes
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import ClipSampling, training_clips
from vdroppath_tf.data.clips.plans import training_plan
from vdroppath_tf.data.clips.positions import epoch_order, item_rng
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.data.records.reader import read_records
from vdroppath_tf.data.records.stream import stream_clips
from vdroppath_tf.data.records.writer import write_records
from vdroppath_tf.data.sources.request import scaled_size
from vdroppath_tf.data.sources.video import VideoFile

VIDEOS, FRAMES, BATCH = 24, 150, 8
EPOCHS = 2  # in one turn; all clips of a turn are read in it, none ahead of the next
ROUNDS = 12  # turns until the same clips come again
EDGE = 128
SAMPLING = ClipSampling(16, stride=2, short_edge=EDGE, crop=112, flip=True)
KINDS = ("constant.mp4", "b_frames.avi", "h264.avi", "stream.ts", "variable.mp4", "variable.mkv")
NUMBERED = 100  # frames of the videos whose frames show their number
OWN = "vdroppath_tf"


def clip_of(manifest: Manifest, epoch: int, item: int) -> dict[str, Any]:
    """Returns the clip that ``training_clips`` draws of a video in an epoch with the seed 0."""
    entry = manifest.entries[item]
    info = entry.info()
    plan = training_plan(SAMPLING, info.num_frames, item_rng(0, epoch, item))
    size = scaled_size(info.height, info.width, EDGE)
    box = (crop_boxes(plan, *size, entry.path) or [])[0]
    return {
        "file": entry.path,
        "frames": plan.indices[0].tolist(),
        "size": size,
        "corner": [box.top, box.left],
        "crop": box.height,
        "flip": plan.flip,
    }


def numbered(folder: Path) -> list[tuple[str, list[list[int]]]]:
    """Writes videos whose frames show their number; returns each with its clips of 16 frames."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = [list(range(start, start + 32, 2)) for start in range(0, NUMBERED - 31, 3)]
    return [(str(barcode.make(folder, kind, NUMBERED).resolve()), clips) for kind in KINDS]


def read_all(clips: tf.data.Dataset) -> None:
    """Reads a data set to its end."""
    for _ in clips:
        pass


def jobs(files: Manifest, records: Path) -> dict[str, Callable[[], None]]:
    """Returns a pass over the clips of the files, and over those of the records in two ways."""
    made = functools.partial(training_clips, batch_size=BATCH, num_parallel=1)
    order = ClipOrder(epochs=EPOCHS)
    stream = stream_clips(records, SAMPLING, batch_size=BATCH, epochs=EPOCHS, shuffle_buffer=VIDEOS)
    return {
        "video files": functools.partial(read_all, made(files, SAMPLING, order=order)),
        "TFRecord": functools.partial(read_all, made(read_records(records), SAMPLING, order=order)),
        "TFRecord, stream_clips": functools.partial(read_all, stream),
    }


def main() -> None:
    """Writes the data, and answers."""
    folder = Path(sys.argv[1])
    files = cut_films(folder, videos=VIDEOS, frames=FRAMES, gops={"default": None})["default"]
    write_records(folder / "records", files, short_edge=EDGE, shards=4)
    videos = numbered(folder / "numbered")
    for file, clips in videos:
        home = folder / "frames" / OWN
        home.mkdir(parents=True, exist_ok=True)
        source = VideoFile(file)
        np.save(home / f"{Path(file).name}.npy", np.concatenate([source.read(c) for c in clips]))
    epochs = range(EPOCHS * ROUNDS)
    order = [(epoch, item) for epoch in epochs for item in epoch_order(0, epoch, len(files))]
    given = {
        "batch": BATCH,
        "count": EPOCHS * len(files),
        "clips": [clip_of(files, epoch, int(item)) for epoch, item in order],
        "videos": videos,
        "shape": [*barcode.SIZE, 3],
    }
    (folder / "clips.json").write_text(json.dumps(given))
    about = {
        "version": f"TensorFlow {tf.__version__}, PyAV {av.__version__}",
        "errors": {},
        "names": [OWN],
        "count": given["count"],
        "videos": videos,
    }
    answer(jobs(files, folder / "records"), about)


if __name__ == "__main__":
    main()
