"""Counts the operations of a training step by kind, for templates and for networks without gates.

    python scripts/benchmarks/graph_operations.py --networks=micro,resnet50,densenet121

The step is the one that ``fit`` traces with the recipes' optimizer (``GateSGD``, momentum 0.9):
forward, backward and update. Functions that it calls are counted too. The network without gates is
the derived network with S and ST in every layer, so that both have the same convolutions. An
operation counts as launching a kernel if it computes floats, or writes a variable, on the device;
constants, shapes, reads, and operations that only rename a tensor do not. The graph is counted
before TensorFlow optimises it.
"""

from __future__ import annotations

import json
import platform
import time
from collections import Counter
from typing import Any

from absl import app, flags
from step_graph import launches, operations, train_graph

NETWORKS = flags.DEFINE_list("networks", ["micro", "resnet50", "densenet121"], "names of networks")
KINDS = flags.DEFINE_integer("kinds", 16, "number of kinds per line, the most frequent first")
NOISE = flags.DEFINE_string("noise", "sample", "granularity of the gates' noise")
JSON = flags.DEFINE_string("json", None, "file to write all counts to")

SHAPE = (8, 112, 112)


def counted(graph: Any) -> tuple[Counter[str], Counter[str]]:
    """Returns the counts of all operations by kind, and of those that launch a kernel."""
    every: Counter[str] = Counter()
    launching: Counter[str] = Counter()
    for op in operations(graph):
        every[op.type] += 1
        launching[op.type] += launches(op)
    return every, +launching


def line(counts: Counter[str]) -> str:
    """Returns the most frequent kinds and their counts, as text."""
    return ", ".join(f"{kind} {count}" for kind, count in counts.most_common(KINDS.value))


def main(_: Any) -> None:
    """Prints the counts of each network, with gates and without."""
    import keras
    import tensorflow as tf

    from vdroppath_tf.zoo.constructors import constructors

    print(f"{time.strftime('%Y-%m-%d')}, TensorFlow {tf.__version__}, Keras {keras.__version__}")
    print(f"{platform.machine()}; clips of {SHAPE}, 2 per step, noise={NOISE.value!r}")
    found: dict[str, Any] = {}
    for name in NETWORKS.value:
        template, derived = constructors(name)
        gated = template(8, clip_shape=SHAPE, num_train_examples=1000, noise=NOISE.value)
        layers = len(gated.gates)
        plain = derived(" ".join(["S+ST"] * layers), 8, clip_shape=SHAPE)
        for which, model in (("template", gated), ("without gates", plain)):
            start = time.process_time()
            every, launching = counted(train_graph(model, SHAPE, 2, 8))
            seconds = time.process_time() - start
            found[f"{name}, {which}"] = {"all": every, "launching": launching}
            print(
                f"{name}, {which}: {every.total()} operations, {launching.total()} launch a "
                f"kernel; traced in {seconds:.1f} s of processor time\n"
                f"    all: {line(every)}\n    launching: {line(launching)}",
                flush=True,
            )
        ratio = found[f"{name}, template"]["launching"].total()
        ratio /= found[f"{name}, without gates"]["launching"].total()
        print(f"{name}: {ratio:.2f} times the kernels of the network without gates")
        keras.utils.clear_session()
    if JSON.value:
        with open(JSON.value, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    app.run(main)
