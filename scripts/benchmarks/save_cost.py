"""Measures what checkpoints cost: the time of one, and its share of a minute of training.

    python scripts/benchmarks/save_cost.py --network=resnet50

A template with its optimizer is saved several times into one folder, as a training saves it: its
files are written, hashed, synced and renamed, and the oldest of three checkpoints is removed.
Training waits for a checkpoint, so the wall time counts; the share is that of `--save_every=1min`.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from absl import app, flags, logging

NETWORK = flags.DEFINE_string("network", "micro", "name of a network of the zoo")
ROUNDS = flags.DEFINE_integer("rounds", 9, "number of timed checkpoints", lower_bound=2)
CLASSES = 174
MINUTE = 60.0


def main(argv: list[str]) -> None:
    """Saves the checkpoints, and prints the medians."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    logging.set_verbosity(logging.WARNING)  # TensorFlow logs each of its savers
    from vdroppath_tf.training import RECIPES, Phase
    from vdroppath_tf.training.checkpoint import CheckpointStore
    from vdroppath_tf.training.fit import prepare
    from vdroppath_tf.training.position import Position
    from vdroppath_tf.zoo import get_model

    model = get_model(f"template_{NETWORK.value}", CLASSES, num_train_examples=1000)
    prepare(model, Phase("search", 1, 0.01, gates=True), RECIPES["small"], 1000)
    wall, processor = [], []
    with tempfile.TemporaryDirectory() as folder:
        store = CheckpointStore(Path(folder), json.dumps({"benchmark": NETWORK.value}))
        for step in range(ROUNDS.value + 2):  # the first two saves remove no older checkpoint
            clock, own = time.perf_counter(), time.process_time()
            store.save(model, Position(0, 0, steps=step + 1))
            wall.append(time.perf_counter() - clock)
            processor.append(time.process_time() - own)
        newest = max(Path(folder).glob("checkpoint-*"))
        size = sum(file.stat().st_size for file in newest.iterdir())
    took, own = statistics.median(wall[2:]), statistics.median(processor[2:])
    print(
        f"template_{NETWORK.value}: a checkpoint of {size / 1e6:.1f} MB takes {took:.2f} s "
        f"({own:.2f} s of processor time), {took / (MINUTE + took):.1%} of a training that saves "
        f"every minute ({ROUNDS.value} checkpoints; {min(wall[2:]):.2f} to {max(wall[2:]):.2f} s)"
    )


if __name__ == "__main__":
    app.run(main)
