"""Measures what recording the gates' gradients costs a training step, in operations and time.

    python scripts/benchmarks/gate_record.py --network=micro

Two templates with the same seed train on one batch, one with the record and one without. They take
turns, so that a change of the machine's speed affects both; the ratio of processor times is the
median over rounds.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
from absl import app, flags

NETWORK = flags.DEFINE_string("network", "micro", "name of a network of the zoo")
FRAMES = flags.DEFINE_integer("frames", 8, "number of frames per clip")
SIZE = flags.DEFINE_integer("size", 32, "height and width of a frame in pixels")
BATCH = flags.DEFINE_integer("batch", 8, "number of clips per step")
ROUNDS = flags.DEFINE_integer("rounds", 31, "pairs of timed steps; 0 only counts operations")
CLASSES = 4


def step_of(recorded: bool, data: Any) -> Any:
    """Returns a traced training step, and its model."""
    import keras
    import tensorflow as tf

    import vdroppath_tf
    from vdroppath_tf.training.optimizer import GateSGD

    keras.utils.set_random_seed(0)
    build = getattr(vdroppath_tf.zoo, f"template_{NETWORK.value}")
    model = build(CLASSES, num_train_examples=1000)
    model.compile(
        GateSGD(0.01, momentum=0.9), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    model.optimizer.build(model.trainable_variables)
    if recorded:
        model.start_record()
    return tf.function(model.train_step).get_concrete_function(data), model


def main(argv: list[str]) -> None:
    """Counts the operations of both steps, then times the steps."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}")
    import tensorflow as tf

    rng = np.random.default_rng(0)
    shape = (BATCH.value, FRAMES.value, SIZE.value, SIZE.value, 3)
    clips = tf.constant(rng.integers(0, 256, shape, np.uint8))
    data = clips, tf.constant(rng.integers(0, CLASSES, BATCH.value))
    steps = {recorded: step_of(recorded, data) for recorded in (False, True)}
    counts = {on: len(step.graph.get_operations()) for on, (step, _) in steps.items()}
    more = counts[True] - counts[False]
    print(
        f"{NETWORK.value}: {counts[False]:,} operations in a step, {more:,} more with the record "
        f"({more / counts[False]:.1%})"
    )
    ratios = []
    for n in range(ROUNDS.value + 2):
        took = {}
        for recorded in (False, True) if n % 2 else (True, False):
            start = time.process_time()
            steps[recorded][0](data)
            took[recorded] = time.process_time() - start
        if n >= 2:  # the first steps warm up
            ratios.append(took[True] / took[False])
    if ratios:
        low, middle, high = (statistics.quantiles(ratios, n=4)[k] for k in range(3))
        print(
            f"processor time of a step with the record over without: {middle:.3f} "
            f"(quartiles {low:.3f} to {high:.3f}; {ROUNDS.value} pairs of {shape} clips)"
        )


if __name__ == "__main__":
    app.run(main)
