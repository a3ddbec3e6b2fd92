"""Measures memory and time of a training step: plain, rematerialised, and with a batch in parts.

    python scripts/benchmarks/step_memory.py --network=densenet121 --ways=usual,remat

``--torch`` names a Python that has PyTorch, which runs the counterpart (``torch_step.py``).

Each way runs in a separate process, which imports the package, builds the template, traces a step
of ``fit`` and runs a few steps on random clips. Peak memory is the largest resident size of that
process, and ``import`` is its size before it built anything, so the difference is due to the step
and its graph. The time is the median processor time of a step, with one thread.
"""

from __future__ import annotations

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from absl import app, flags

NETWORK = flags.DEFINE_string("network", "densenet121", "name of a network of the zoo")
SHAPE = flags.DEFINE_list("shape", ["1", "16", "112", "112"], "batch, frames, height, width")
WAYS = flags.DEFINE_list("ways", ["usual", "remat"], "any of usual, remat and parts")
TORCH = flags.DEFINE_string(
    "torch", None, "a Python with PyTorch, for densenet121, mobilenet_v2 and resnet50"
)
STEPS = flags.DEFINE_integer("steps", 4, "number of steps of each way", lower_bound=3)


def resident(field: str) -> float:
    """Returns a size of this process in MB: VmRSS is the current one, VmHWM the largest so far."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"{field}:\s+(\d+) kB", text)
    return int(found[1]) / 1000 if found else float("nan")


def work(name: str, shape: list[int], way: str, steps: int) -> None:
    """Runs the steps of one way, and prints their time and memory as JSON."""
    from vdroppath_tf.models.objectives import cross_entropy  # before Keras, to enable oneDNN
    from vdroppath_tf.training.optimizer import GateSGD
    from vdroppath_tf.zoo.constructors import constructors

    import keras  # isort: skip

    template, _ = constructors(name)
    before = resident("VmRSS")
    keras.utils.set_random_seed(0)
    model = template(174, num_train_examples=1000)
    model.remat = way == "remat"
    model.accumulate = shape[0] if way == "parts" else 1
    model.compile(GateSGD(0.01, momentum=0.9), cross_entropy())

    import numpy as np

    rng = np.random.default_rng(0)
    clips = rng.integers(0, 256, (*shape, 3)).astype("float32")
    labels = rng.integers(0, 174, shape[0])
    times, losses = [], []
    for _ in range(steps):
        start = time.process_time()
        losses.append(float(model.train_on_batch(clips, labels, return_dict=True)["loss"]))
        times.append(time.process_time() - start)
    found = {"import": before, "peak": resident("VmHWM"), "first": times[0], "losses": losses}
    print(json.dumps({**found, "step": statistics.median(times[2:])}), flush=True)


def main(_) -> None:
    """Runs the ways one after another, and prints a line of the table for each."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment |= {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    shape = [int(size) for size in SHAPE.value]
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} CPUs")
    print(f"{NETWORK.value}, clips {shape}\n")
    print("| way | peak MB | import MB | first step s | step s | losses |", flush=True)
    print("| --- | --- | --- | --- | --- | --- |")
    commands = {
        way: [sys.executable, __file__, "--worker", NETWORK.value, json.dumps(shape), way]
        for way in WAYS.value
    }
    if TORCH.value is not None:
        counterpart = str(Path(__file__).with_name("torch_step.py"))
        commands["pytorch"] = [TORCH.value, counterpart, NETWORK.value, json.dumps(shape)]
    for way, start in commands.items():
        command = [*start, str(STEPS.value)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        losses = " ".join(f"{loss:.5f}" for loss in found["losses"])
        print(
            f"| {way} | {found['peak']:,.0f} | {found['import']:,.0f} | {found['first']:.0f} "
            f"| {found['step']:.2f} | {losses} |",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], json.loads(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
    else:
        app.run(main)
