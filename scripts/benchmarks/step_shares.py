"""Shows where the time of a training step and of a forward pass goes, by kind of operation.

    python scripts/benchmarks/step_shares.py --networks=resnet50,densenet121

Each network runs in a process of its own with one thread. TensorFlow's profiler records one step
and one forward pass; the last column is the time relative to the ceiling of ``against_torch.py``,
all multiply-adds at the rate of a matrix product, so the rows add up to the whole job.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import app, flags
from in_turns import PASSES, SHAPES, built, ceiling, jobs_of

NETWORKS = flags.DEFINE_list("networks", ["resnet50"], f"any of {', '.join(SHAPES)}")
flags.register_validator(
    "networks",
    lambda names: set(names) <= set(SHAPES),
    message=f"Expected any of {', '.join(SHAPES)}.",
)
EACH = flags.DEFINE_bool("each", False, "whether to print a line for each operation type too")
_ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
KINDS: Mapping[str, tuple[str, ...]] = {
    "products and convolutions": ("MatMul", "Conv"),
    "batch norm": ("BatchNorm",),
    "pools": ("Pool",),
    "optimizer": ("ResourceApply",),
    "copies": ("Concat", "Slice", "Pad", "Transpose", "Tile", "Split", "Pack"),
}
"""Kinds of operations, by parts of their types; all others are element by element, or sums."""

_OPERATION = re.compile(r"[^:]+:(?!__)(\w+)")
"""An operation's name and type; of what runs operations, the profiler writes other names."""


def kind_of(operation: str) -> str:
    """Returns the kind of an operation type of TensorFlow."""
    for kind, parts in KINDS.items():
        if any(part in operation for part in parts):
            return kind
    return "element by element"


def recorded(job: Callable[[], Any]) -> Counter[str]:
    """Returns the seconds of a job by operation type, as TensorFlow's profiler records them."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        job()
        tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space.ParseFromString(file.read_bytes())
    seconds: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                found = _OPERATION.fullmatch(plane.event_metadata[event.metadata_id].name)
                if found:
                    seconds[found[1]] += event.duration_ps * 1e-12
    return seconds


def measure(name: str) -> None:
    """Prints the seconds of both jobs by operation type, and of their ceilings, as JSON."""
    model, macs = built(name)
    jobs = jobs_of(model, SHAPES[name], 174)

    for job, passes in PASSES.items():
        whole, product = (statistics.median(times) for times in rounds_of(jobs, [job, "product"]))
        least = ceiling(passes * macs, product)
        found = {"job": job, "seconds": whole, "ceiling": least, "each": recorded(jobs[job])}
        print(json.dumps(found), flush=True)


def rounds_of(
    jobs: Mapping[str, Callable[[], Any]], names: Sequence[str], rounds: int = 7
) -> list[list[float]]:
    """Returns the wall seconds of each named job in each round, after two that are not timed."""
    times: list[list[float]] = [[] for _ in names]
    for number in range(rounds + 2):  # the first two trace the functions and warm up
        for own, name in zip(times, names, strict=True):
            begun = time.perf_counter()
            jobs[name]()
            if number > 1:
                own.append(time.perf_counter() - begun)
    return times


def table(found: Mapping[str, Any], each: bool) -> list[str]:
    """Returns the lines of one job, the longest first; ``each`` adds those of operation types."""
    kinds: Counter[str] = Counter()
    for operation, seconds in found["each"].items():
        kinds[kind_of(operation)] += seconds
    rows = [*kinds.most_common(), ("all that was recorded", sum(kinds.values()))]
    rows.append(("the whole job, without the profiler", found["seconds"]))
    if each:
        rows += Counter(found["each"]).most_common(25)
    whole, least = found["seconds"], found["ceiling"]
    return [
        f"| {found['job']} | {what} | {1000 * seconds:.0f} ms | {seconds / whole:.0%} "
        f"| {seconds / least:.2f} |"
        for what, seconds in rows
    ]


def main(_: list[str]) -> None:
    """Measures the networks one after the other, and prints a table of each."""
    for name in NETWORKS.value:
        command = [sys.executable, __file__, "--worker", name]
        done = subprocess.run(
            command, env={**os.environ, **_ONE_THREAD}, stdout=subprocess.PIPE, check=True
        )
        print(f"\n{name}, clips {SHAPES[name]}, {time.strftime('%Y-%m-%d')}\n")
        print("| job | operations | time | of the job | of the ceiling |")
        print("| --- " * 5 + "|")
        for line in done.stdout.splitlines():
            print("\n".join(table(json.loads(line), EACH.value)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        measure(sys.argv[2])
    else:
        app.run(main)
