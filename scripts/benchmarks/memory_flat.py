"""Measures the memory over 2,000 batches of training clips, from video files and from records.

    PYTHONPATH=scripts python scripts/benchmarks/memory_flat.py --folder=data-feed

Real videos are cut into small H.264 files. Each source is read in a separate process, whose
resident memory is recorded every 20 batches; the slope is that of a line fitted to these values
without the first fifth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from absl import app, flags

FOLDER = flags.DEFINE_string("folder", "data-feed", "folder to write the videos and clips to")
BATCHES = flags.DEFINE_integer("batches", 2000, "number of batches per source", lower_bound=100)
VIDEOS, FRAMES, BATCH, EVERY = 48, 60, 4, 20
TARGET = 1.0  # MB per 100 batches


def resident() -> float:
    """Returns the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def prepare(folder: Path) -> dict[str, str]:
    """Writes the data, and returns the path that opens each source, by its name."""
    from film_clips import cut_films

    from vdroppath_tf.data.records.writer import write_records

    videos = cut_films(folder, videos=VIDEOS, frames=FRAMES, gops={"gop12": 12}, scale=2)["gop12"]
    write_records(folder / "small-records", videos, short_edge=64, shards=4)
    return {"video files": videos.source, "TFRecord": str(folder / "small-records")}


def work(source: str, batches: int) -> None:
    """Reads batches, and prints the memory after every `EVERY` of them as JSON."""
    from vdroppath_tf.data.catalog import open_manifest
    from vdroppath_tf.data.clips.order import ClipOrder
    from vdroppath_tf.data.clips.pipeline import ClipSampling, training_clips

    sampling = ClipSampling(8, short_edge=64, crop=56, flip=True)
    clips = training_clips(
        open_manifest(source), sampling, batch_size=BATCH, order=ClipOrder(epochs=None)
    )
    used = []
    for step, _ in enumerate(clips.take(batches)):
        if step % EVERY == 0:
            used.append(resident())
    print(json.dumps(used))


def main(argv: list[str]) -> None:
    """Measures all sources, and prints a table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    print(f"{'':14}{'after 20 %':>12}{'at the end':>12}{'MB in 100 batches':>20}{'batches/s':>12}")
    for name, source in prepare(Path(FOLDER.value)).items():
        command = [sys.executable, __file__, "--worker", source, str(BATCHES.value)]
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rate = BATCHES.value / (time.perf_counter() - start)
        used = np.array(json.loads(done.stdout.splitlines()[-1]))
        used = used[len(used) // 5 :]
        slope = np.polyfit(np.arange(len(used)), used, 1)[0] * 100 / EVERY
        verdict = "" if slope < TARGET else f"  more than {TARGET}"
        print(f"{name:14}{used[0]:9.1f} MB{used[-1]:9.1f} MB{slope:20.3f}{rate:12.1f}{verdict}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], int(sys.argv[3]))
    else:
        app.run(main)
