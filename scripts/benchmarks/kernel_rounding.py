"""How far the same logits differ from themselves between TensorFlow's two kinds of CPU kernels.

    python scripts/benchmarks/kernel_rounding.py --network=resnet50

One strategy is set on a template with random weights, batch norm is recalibrated on one batch of
few clips, and the same pass is run in two processes: with oneDNN's kernels and without. No two ways
of computing a strategy's logits can be expected to agree any better than this.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from absl import app, flags

NETWORK = flags.DEFINE_string("network", "resnet50", "of the zoo")
FRAMES = flags.DEFINE_integer("frames", 8, "frames a clip")
SIZE = flags.DEFINE_integer("size", 112, "height and width")
CLIPS = flags.DEFINE_integer("clips", 2, "to recalibrate on, and to run")
OUT = flags.DEFINE_string("out", None, "for the processes of this script: file for logits")


def run_pass(out: str) -> None:
    """The pass, in a process that has chosen its kernels."""
    import keras  # TensorFlow reads the environment once, when it is imported

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
    """Both passes, and their difference."""
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
