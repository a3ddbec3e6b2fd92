"""Measures the time from starting Python to the end of the first training step.

    python scripts/benchmarks/first_step.py --networks=resnet50,densenet121 --rounds=3

Prints the wall time, the processor time and the peak memory of a fresh process that imports the
package, builds a template, traces a step of ``train_on_batch`` on random clips, and runs it; and
the processor time of the second step. On a shared machine the processor time is the one to
compare. ``--package`` names another checkout, which takes turns with this one.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time

from absl import app, flags

NETWORKS = flags.DEFINE_list("networks", ["resnet50", "densenet121"], "names of the networks")
ROUNDS = flags.DEFINE_integer("rounds", 1, "number of processes of each kind, in turns")
PACKAGE = flags.DEFINE_string("package", None, "folder of another checkout to compare with")
SHAPES = {"densenet121": (1, 16, 112, 112), "resnet50": (2, 8, 112, 112)}


def first_step(name: str) -> None:
    """Runs two steps, and prints the times of both and the peak memory of the process as JSON."""
    from vdroppath_tf.models.objectives import cross_entropy
    from vdroppath_tf.training.optimizer import GateSGD
    from vdroppath_tf.zoo.constructors import constructors

    shape = SHAPES.get(name, (2, 8, 112, 112))
    template, _ = constructors(name)
    model = template(8, num_train_examples=1000)
    model.compile(GateSGD(0.01, momentum=0.9), cross_entropy())

    import numpy as np

    rng = np.random.default_rng(0)
    clips = rng.integers(0, 256, (*shape, 3)).astype("float32")
    labels = rng.integers(0, 8, shape[0])
    model.train_on_batch(clips, labels)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    first = spent.ru_utime + spent.ru_stime
    now = time.time()
    model.train_on_batch(clips, labels)
    again = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "end": now,
                "processor": first,
                "second": again.ru_utime + again.ru_stime - first,
                "memory": again.ru_maxrss / 2**20,
            }
        )
    )


def measure(name: str, package: str) -> dict[str, float]:
    """Runs one fresh process, and returns its measurements."""
    environment = {**os.environ, "PYTHONPATH": package, "TF_CPP_MIN_LOG_LEVEL": "3"}
    start = time.time()
    done = subprocess.run(
        [sys.executable, __file__, "--worker", name],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "wall": found["end"] - start}


def main(_) -> None:
    """Prints a line for each network and checkout."""
    here = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    packages = [here, *([PACKAGE.value] if PACKAGE.value else [])]
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} CPUs")
    for name in NETWORKS.value:
        found: dict[str, list[dict[str, float]]] = {package: [] for package in packages}
        for _ in range(ROUNDS.value):
            for package in packages:
                found[package].append(measure(name, package))
        for package, runs in found.items():
            median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            print(
                f"{name}, {package}: first step after {median['wall']:.1f} s, processor time "
                f"{median['processor']:.1f} s; the second step {median['second']:.2f} s of "
                f"processor time; {median['memory']:.2f} GiB at most",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        first_step(sys.argv[2])
    else:
        app.run(main)
