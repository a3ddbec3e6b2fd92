"""Times a training step with the gradient of temporal kernels as one product, and TensorFlow's.

    python scripts/benchmarks/kernel_gradient.py --network=resnet50 --clip=2x8x112x112

Two copies of a template with the same weights take turns in one process, one with
``layers.filter_gradients`` and one with the gradient that TensorFlow derives. The script prints the
losses of both, which agree up to rounding, and the median over rounds of the ratio of their
processor times, which are more reliable than wall times on a shared machine.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
from absl import app, flags

NETWORK = flags.DEFINE_string("network", "resnet50", "name of a network of the zoo")
CLIP = flags.DEFINE_string("clip", "2x8x112x112", "clips per batch, frames, height and width")
ROUNDS = flags.DEFINE_integer("rounds", 5, "number of timed steps of each copy", lower_bound=1)
THREADS = flags.DEFINE_integer("threads", 1, "number of TensorFlow's threads")
CLASSES = 174


def compiled(shape: list[int]) -> Any:
    """Returns a compiled template."""
    import keras

    from vdroppath_tf import zoo
    from vdroppath_tf.models.objectives import cross_entropy
    from vdroppath_tf.training.optimizer import GateSGD

    keras.utils.set_random_seed(0)
    name, sizes = f"template_{NETWORK.value}", tuple(shape[1:])
    model = zoo.get_model(name, CLASSES, num_train_examples=1000, clip_shape=sizes)
    model.compile(GateSGD(0.005, momentum=0.9), cross_entropy())
    return model


def main(_: list[str]) -> None:
    """Times both copies, and prints the results."""
    import tensorflow as tf

    from vdroppath_tf.layers import filter_gradients

    tf.config.threading.set_intra_op_parallelism_threads(THREADS.value)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS.value)
    shape = [int(n) for n in CLIP.value.split("x")]
    rng = np.random.default_rng(0)
    clips = tf.constant(rng.integers(0, 256, (*shape, 3)), tf.float32)
    labels = tf.constant(rng.integers(0, CLASSES, shape[0]))

    def of_tensorflow(x: Any, dy: Any, shape: Any) -> Any:
        same: Any = {"strides": [1, 1, 1, 1], "padding": "SAME"}
        return tf.raw_ops.Conv2DBackpropFilter(
            input=x, filter_sizes=list(shape), out_backprop=dy, **same
        )

    ways = {"one product": filter_gradients._of_kernel, "TensorFlow's": of_tensorflow}
    models: dict[str, Any] = {}
    for way, function in ways.items():
        filter_gradients._of_kernel = function  # read when a step is traced
        models[way] = compiled(shape)
        losses = [models[way].train_on_batch(clips, labels)[0] for _ in range(2)]
        print(f"{way}: the first losses {losses}", flush=True)
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS.value):
        for way, model in models.items():
            start = time.process_time()
            model.train_on_batch(clips, labels)
            times[way].append(time.process_time() - start)
    new, old = times.values()
    ratio = statistics.median(a / b for a, b in zip(new, old, strict=True))
    print(f"{time.strftime('%Y-%m-%d')}, {NETWORK.value}, {CLIP.value}, {THREADS.value} threads")
    for way, seconds in times.items():
        print(f"{way}: {statistics.median(seconds):.2f} s of processor time per step")
    print(f"ratio, median of {ROUNDS.value} rounds: {ratio:.3f}")


if __name__ == "__main__":
    app.run(main)
