"""Measures how long each template takes to build, and its memory, each in a separate process.

    python scripts/benchmarks/build_networks.py --rounds=3

Prints medians over the rounds: the seconds, their ratio to those of resnet50 in the same run, and
the growth of the process's peak memory, next to the size of the weights. The networks take turns,
so that a drift of the machine's speed affects all of them equally.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

from absl import app, flags

from vdroppath_tf.zoo import list_networks

ROUNDS = flags.DEFINE_integer("rounds", 3, "number of times to build each network", lower_bound=1)
REFERENCE = "resnet50"
_BUILD = """
import json, resource, sys, time
import vdroppath_tf
template = getattr(vdroppath_tf.zoo, "template_" + sys.argv[1])
vdroppath_tf.zoo.template_micro()  # leaves out what TensorFlow and Keras set up only once
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start = peak(), time.perf_counter()
model = template()
print(json.dumps([time.perf_counter() - start, peak() - before, 4 * model.count_params() / 2**20]))
"""


def build_once(name: str) -> list[float]:
    """Builds a template once, and returns its seconds, MiB of growth and MiB of weights."""
    command = [sys.executable, "-c", _BUILD, name]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main(_: list[str]) -> None:
    """Prints the table."""
    found: dict[str, list[list[float]]] = {name: [] for name in list_networks()}
    for _round in range(ROUNDS.value):
        for name, rows in found.items():
            rows.append(build_once(name))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in found.items()
    }
    print(f"| template | build, s | of {REFERENCE} | memory, MiB | weights, MiB |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (seconds, memory, weights) in medians.items():
        ratio = seconds / medians[REFERENCE][0]
        print(f"| `{name}` | {seconds:.1f} | {ratio:.2f} | {memory:.0f} | {weights:.0f} |")


if __name__ == "__main__":
    app.run(main)
