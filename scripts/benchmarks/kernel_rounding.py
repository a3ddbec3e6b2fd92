"""Measures how much the same logits differ between TensorFlow's two kinds of CPU kernels.

    python scripts/benchmarks/kernel_rounding.py --network=resnet50

One strategy is set on a template with random weights, batch norm is recalibrated on one batch of
few clips, and the same forward pass is run in two processes, one with oneDNN's kernels and one
without. Two ways of computing a strategy's logits cannot be expected to agree better than this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags

NETWORK = flags.DEFINE_string("network", "resnet50", "name of a network of the zoo")
FRAMES = flags.DEFINE_integer("frames", 8, "number of frames per clip")
SIZE = flags.DEFINE_integer("size", 112, "height and width of a frame in pixels")
CLIPS = flags.DEFINE_integer("clips", 2, "number of clips to recalibrate on, and to classify")
OUT = flags.DEFINE_string("out", None, "used internally: the file for the logits of one process")


def run_pass(out: str) -> None:
    """Runs the forward pass with this process's kernels, and writes its logits to ``out``."""
    import keras  # TensorFlow reads the environment only once, at its import

    from vdroppath_tf import freeze_gates, recalibrate, set_strategy, zoo

    keras.utils.set_random_seed(0)
    template = zoo.get_model(f"template_{NETWORK.value}", num_classes=4)
    freeze_gates(template)
    shape = (2, CLIPS.value, FRAMES.value, SIZE.value, SIZE.value, 3)
    train_clips, clips = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    space = zoo.published_space("something-something-v1")
    set_strategy(template, zoo.transfer(space, NETWORK.value).sample(1)[0])
    recalibrate(template, [(train_clips, np.zeros(CLIPS.value))], 1)
    np.save(out, template.predict_on_batch(clips))


def main(_: list[str]) -> None:
    """Runs both passes, and prints their difference."""
    if OUT.value is not None:
        run_pass(OUT.value)
        return
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for onednn in "01":
            out = Path(folder) / f"{onednn}.npy"
            environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": onednn}
            subprocess.run([sys.executable, *sys.argv, f"--out={out}"], env=environment, check=True)
            found.append(np.load(out))
    with_it, without = found
    difference, largest = np.abs(with_it - without).max(), np.abs(with_it).max()
    print(f"max |logits difference| {difference:.1e}, logits up to {largest:.1f}")


if __name__ == "__main__":
    app.run(main)
