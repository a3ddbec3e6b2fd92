"""Measures what each augmentation costs, in CPU milliseconds per clip over all threads.

    python scripts/benchmarks/augmentation.py --frames=16 --size=112

CPU time rather than wall time is measured, since other jobs on the machine disturb it less; the
smallest value over several rounds is printed. Mixing is measured on a pair of clips, and its time
is halved.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from absl import app, flags

from vdroppath_tf.data.clips.augment import OPERATIONS, Augmentation, Operation
from vdroppath_tf.data.clips.mixing import mix
from vdroppath_tf.data.clips.operations import apply_operations
from vdroppath_tf.data.sources.resize import resize_frames

FRAMES = flags.DEFINE_integer("frames", 16, "number of frames per clip", lower_bound=1)
SIZE = flags.DEFINE_integer("size", 112, "height and width of a frame in pixels", lower_bound=8)
ROUNDS = flags.DEFINE_integer("rounds", 5, "number of timed rounds", lower_bound=1)
JITTER = [
    Operation("brightness", 0.2),
    Operation("contrast", 1.2),
    Operation("saturation", 0.8),
    Operation("hue", 0.1),
]


def least(work: Callable[[], object]) -> float:
    """Returns the smallest CPU time over the rounds, in milliseconds, after one untimed round."""
    work()
    found = []
    for _round in range(ROUNDS.value):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return 1000 * min(found)


def main(_: list[str]) -> None:
    """Prints the table."""
    rng = np.random.default_rng(0)
    pair = rng.integers(0, 256, (2, FRAMES.value, SIZE.value, SIZE.value, 3), np.uint8)
    clip, labels, larger = pair[0], np.array([0, 1]), SIZE.value * 8 // 7
    rows = {"crop_scales": lambda: resize_frames(clip, larger, larger)}
    rows["color_jitter"] = lambda: apply_operations(clip, JITTER)
    for name in OPERATIONS:
        rows[f"rand_augment: {name}"] = lambda name=name: apply_operations(
            clip, [Operation(name, 0.5)]
        )
    costs = {name: least(work) for name, work in rows.items()}
    for name in ("mixup", "cutmix"):
        augment = Augmentation(**{name: 1.0})
        costs[name] = least(lambda a=augment: mix(pair, labels, a, classes=2, rng=rng)) / 2
    print(f"| {FRAMES.value}x{SIZE.value}x{SIZE.value} | CPU ms per clip |\n| --- | ---: |")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.1f} |")


if __name__ == "__main__":
    app.run(main)
