"""Times a training step and a forward pass of a template against its PyTorch counterpart.

    python scripts/benchmarks/against_torch.py --torch=python-with-torch --networks=densenet121

Two processes hold the same network, one from this package and one from ``torch_step.py`` in the
channels-last layout, and take turns, so that a change of the machine's speed affects both. Ratios
are medians over rounds. Each process has one thread. Both wall time and processor time are
printed; use the latter if other jobs run on the machine. The ceiling is a matrix product of 2048 x
2048 in float32, timed in the same rounds. ``--package`` names another checkout, which takes turns
too.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

from absl import app, flags
from in_turns import Worker, answer, jobs_of

TORCH = flags.DEFINE_string("torch", None, "path of a Python that has PyTorch", required=True)
NETWORKS = flags.DEFINE_list("networks", ["densenet121", "resnet50"], "one or both of these two")
ROUNDS = flags.DEFINE_integer("rounds", 7, "number of rounds of timed steps", lower_bound=1)
PACKAGE = flags.DEFINE_string("package", None, "folder of another checkout to compare with")
SHAPES = {"densenet121": [1, 16, 112, 112], "resnet50": [2, 8, 112, 112]}
HERE = Path(__file__).resolve().parent


def work(name: str, shape: list[int]) -> None:
    """Runs the job that each line of stdin names, and prints its wall and processor seconds."""
    from vdroppath_tf.models.objectives import cross_entropy
    from vdroppath_tf.training.optimizer import GateSGD
    from vdroppath_tf.zoo.constructors import constructors

    template, _ = constructors(name)
    model = template(174, clip_shape=shape[1:], num_train_examples=1000)
    model.compile(GateSGD(0.01, momentum=0.9), cross_entropy())

    import tensorflow as tf

    answer(jobs_of(model, shape, 174), {"version": tf.__version__})


def started(command: list[str], package: Path | None = None) -> Worker:
    """Starts one of the processes, with one thread."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    environment |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    return Worker(command, environment)


def workers_of(name: str) -> dict[str, Worker]:
    """Starts the processes of one network, and returns them by their names in the table."""
    shape = json.dumps(SHAPES[name])
    own = [sys.executable, __file__, "--worker", name, shape]
    found = {"ours": started(own, HERE.parents[1])}
    if PACKAGE.value:
        found["other checkout"] = started(own, Path(PACKAGE.value))
    found["pytorch"] = started([TORCH.value, str(HERE / "torch_step.py"), name, shape])
    return found


def compare(name: str) -> None:
    """Times one network, and prints its lines of the table."""
    workers = workers_of(name)
    times: dict[tuple[str, str], list[list[float]]] = {}
    for number in range(ROUNDS.value + 2):
        for job in ("step", "forward", "product"):
            for which, worker in workers.items():
                if job != "product" or which == "ours":
                    spent = worker.time(job)
                    if number > 1:  # the first two rounds trace the functions and warm up
                        times.setdefault((which, job), []).append(spent)
    for worker in workers.values():
        worker.close()
    versions = ", ".join(f"{which} {worker.about['version']}" for which, worker in workers.items())
    wall = statistics.median(seconds for seconds, _ in times["ours", "product"])
    print(f"{name}, clips {SHAPES[name]}; {versions}; ceiling {2 * 2048**3 / wall / 1e9:.0f} GF/s")
    for job in ("step", "forward"):
        for which in workers:
            cells = []
            for place in (0, 1):
                own = [spent[place] for spent in times[which, job]]
                theirs = [spent[place] for spent in times["pytorch", job]]
                ratio = statistics.median(a / b for a, b in zip(own, theirs, strict=True))
                cells += [f"{statistics.median(own):.2f} s", f"{ratio:.2f}"]
            print("| " + " | ".join([job, which, *cells]) + " |", flush=True)


def main(_) -> None:
    """Prints a table with the lines of each network."""
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {len(os.sched_getaffinity(0))} CPUs")
    print("| job | of | wall | of PyTorch's | processor | of PyTorch's |\n" + "| --- " * 6 + "|")
    for name in NETWORKS.value:
        compare(name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2], json.loads(sys.argv[3]))
    else:
        app.run(main)
