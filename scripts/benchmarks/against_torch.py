"""Times a training step and a forward pass of a template against its PyTorch counterpart.

    python scripts/benchmarks/against_torch.py --torch=python-with-torch --networks=densenet121

Two processes hold the same network, one from this package and one from ``torch_step.py`` in the
channels-last layout, and take turns, so that a change of the machine's speed affects both. Ratios
are medians over rounds. Each process has one thread. Both wall time and processor time are
printed; use the latter if other jobs run on the machine. ``--package`` names another checkout,
which takes turns too. Without ``--torch`` only the ceiling is compared with.

The ceiling is the time that a job would take if its multiply-adds ran at the rate of a matrix
product of 2048 x 2048 in float32, which is timed in the same rounds. A forward pass has the
multiply-adds of ``vdroppath_tf.cost``, and a step three times as many. This counts the stem's input
gradient, which is not computed, and all paths, although a forward pass of ours merges S and ST.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import platform
import statistics
import sys
import time
from pathlib import Path

from absl import app, flags
from in_turns import PASSES, SHAPES, SIDE, Worker, answer, built, ceiling, jobs_of, relative

TORCH = flags.DEFINE_string("torch", None, "path of a Python that has PyTorch")
NETWORKS = flags.DEFINE_list(
    "networks", ["densenet121", "resnet50"], "any of densenet121, mobilenet_v2, resnet50"
)
ROUNDS = flags.DEFINE_integer("rounds", 7, "number of rounds of timed steps", lower_bound=1)
PACKAGE = flags.DEFINE_string("package", None, "folder of another checkout to compare with")
HERE = Path(__file__).resolve().parent
Times = dict[tuple[str, str], list[list[float]]]


def work(name: str) -> None:
    """Runs the job that each line of stdin names, and prints its wall and processor seconds."""
    model, macs = built(name)

    import tensorflow as tf

    about = {
        "version": tf.__version__,
        "parameters": sum(math.prod(weight.shape) for weight in model.trainable_variables),
        "macs": macs,
    }
    answer(jobs_of(model, SHAPES[name], 174), about)


def started(command: list[str], package: Path | None = None) -> Worker:
    """Starts one of the processes, with one thread."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    environment |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    if package is not None:
        environment["PYTHONPATH"] = str(package)
    return Worker(command, environment)


def workers_of(name: str) -> dict[str, Worker]:
    """Starts the processes of one network, and returns them by their names in the table."""
    own = [sys.executable, __file__, "--worker", name]
    found = {"ours": started(own, HERE.parents[1])}
    if PACKAGE.value:
        found["other checkout"] = started(own, Path(PACKAGE.value))
    if TORCH.value:
        found["pytorch"] = started(
            [TORCH.value, str(HERE / "torch_step.py"), name, json.dumps(SHAPES[name])]
        )
    counts = {which: worker.about["parameters"] for which, worker in found.items()}
    if len(set(counts.values())) > 1:
        sys.exit(f"{name}: these are not the same network. Parameters: {counts}")
    return found


def timed(workers: dict[str, Worker]) -> Times:
    """Runs the rounds, and returns the wall and processor seconds of every job by its process."""
    times: Times = {}
    for number in range(ROUNDS.value + 2):
        for job in (*PASSES, "product"):
            for which, worker in workers.items():
                if job != "product" or which == "ours":
                    spent = worker.time(job)
                    if number > 1:  # the first two rounds trace the functions and warm up
                        times.setdefault((which, job), []).append(spent)
    return times


def cells(times: Times, which: str, job: str, macs: int, place: int) -> list[str]:
    """Returns a job's time, as it is, relative to PyTorch's, and relative to the ceiling's.

    Args:
        times: dict, the seconds of all rounds, see ``timed``.
        which: str, the name of the process.
        job: str, the name of the job.
        macs: int, the multiply-adds of the job.
        place: int, 0 for wall time, and 1 for processor time.
    """
    own, theirs, product = (
        [spent[place] for spent in times.get(key, ())]
        for key in ((which, job), ("pytorch", job), ("ours", "product"))
    )
    best = [ceiling(macs, seconds) for seconds in product]
    ratios = [f"{relative(own, other):.2f}" if other else "" for other in (theirs, best)]
    return [f"{statistics.median(own):.2f} s", *ratios]


def compare(name: str) -> None:
    """Times one network, and prints its lines of the table."""
    workers = workers_of(name)
    times = timed(workers)
    for worker in workers.values():
        worker.close()
    versions = ", ".join(f"{which} {worker.about['version']}" for which, worker in workers.items())
    wall = statistics.median(seconds for seconds, _ in times["ours", "product"])
    macs, parameters = (workers["ours"].about[key] for key in ("macs", "parameters"))
    print(
        f"{name}, clips {SHAPES[name]}, {parameters:,} parameters, {macs / 1e9:.2f} GMACs forward"
    )
    print(f"{versions}; ceiling {2 * SIDE**3 / wall / 1e9:.0f} GF/s")
    for job, passes in PASSES.items():
        for which in workers:
            both = (cells(times, which, job, passes * macs, place) for place in (0, 1))
            print("| " + " | ".join([job, which, *itertools.chain(*both)]) + " |", flush=True)


def main(_) -> None:
    """Prints a table with the lines of each network."""
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {len(os.sched_getaffinity(0))} CPUs")
    head = ["of PyTorch's", "of the ceiling's"]
    print("| " + " | ".join(["job", "of", "wall", *head, "processor", *head]) + " |")
    print("| --- " * 8 + "|")
    for name in NETWORKS.value:
        compare(name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(sys.argv[2])
    else:
        app.run(main)
