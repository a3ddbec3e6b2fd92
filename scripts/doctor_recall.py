"""Damages 5 % of 1,000 videos in all ways of `damage.py`, and counts those that the doctor finds.

    python scripts/doctor_recall.py

The videos are clips of a known-answer task, written into a temporary folder.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections import Counter
from pathlib import Path

import av
import damage
import numpy as np
from absl import app, flags

from vdroppath_tf.data.faults.doctor import diagnose
from vdroppath_tf.experiments.tasks.shapes import Difficulty
from vdroppath_tf.experiments.tasks.synthetic import write_task

_VIDEOS = flags.DEFINE_integer("videos", 1000, "number of videos to write", lower_bound=20)

# The doctor does not know the crop, so it counts frame sizes but reports none as bad.
KINDS = {name: how for name, how in damage.KINDS.items() if name != "frames of another size"}


def main(argv: list[str]) -> None:
    """Prints the number of damaged videos that are found, by kind, and that of false alarms."""
    del argv
    av.logging.set_level(av.logging.PANIC)
    logging.getLogger("vdroppath_tf").setLevel(logging.ERROR)
    count = _VIDEOS.value
    with tempfile.TemporaryDirectory() as folder:
        files = write_task(
            Path(folder) / "clips",
            clips=(count, 1, 1),
            difficulty=Difficulty(frames=16, size=32, shape=8.0),
        )
        manifest = files.manifest("train")
        chosen = np.random.default_rng(0).permutation(count)[: count // 20]
        names = list(KINDS)
        bad = {manifest.entries[k].path: names[n % len(names)] for n, k in enumerate(chosen)}
        for path, kind in bad.items():
            KINDS[kind](Path(path))
        start = time.perf_counter()
        found = diagnose([("train", manifest)], Path(folder) / "journal")
        seconds = time.perf_counter() - start
    paths = {fault.path for fault in found.faults}
    per_kind, hits = Counter(bad.values()), Counter(bad[path] for path in paths & bad.keys())
    for kind, number in per_kind.items():
        print(f"{hits[kind]:3d} of {number:3d}  {kind}")
    right, wrong = len(paths & bad.keys()), len(paths - bad.keys())
    print(f"{right} of {len(bad)} damaged videos found")
    print(f"{wrong} false alarms among {count - len(bad)} intact ones")
    print(f"{found.decoded:,} frames decoded in {seconds:.1f} s")


if __name__ == "__main__":
    app.run(main)
