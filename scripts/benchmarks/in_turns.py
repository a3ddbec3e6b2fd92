"""Processes that each hold a network, and run their jobs in turns.

In this way a change of the machine's speed affects all of them. The module imports no TensorFlow,
since one of the processes may have PyTorch and not this package.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

SIDE = 2048
"""The rows and columns of the matrices of the job ``product``."""

SHAPES = {
    "densenet121": [1, 16, 112, 112],
    "mobilenet_v2": [8, 8, 112, 112],
    "resnet50": [2, 8, 112, 112],
}
"""The batch, frames, height and width of the clips of each network that is compared."""
PASSES = {"step": 3, "forward": 1}
"""The multiply-adds of a job, in those of a forward pass."""


def relative(own: Sequence[float], others: Sequence[float]) -> float:
    """Returns the median over rounds of the ratio of two times, each pair of one round."""
    return statistics.median(a / b for a, b in zip(own, others, strict=True))


def ceiling(macs: float, product: float) -> float:
    """Returns the seconds that a job would take at the rate of the matrix product.

    Args:
        macs: float, the multiply-adds of the job.
        product: float, the seconds that the job ``product`` took.
    """
    return macs * product / SIDE**3


def answer(jobs: Mapping[str, Callable[[], Any]], about: Mapping[str, Any]) -> None:
    """Prints what this process is, then runs the job that each line of stdin names.

    After each job its wall seconds and processor seconds are printed as JSON.

    Args:
        jobs: Mapping, the functions to run by name.
        about: Mapping, the description of this process, such as its versions.
    """
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        jobs[line.strip()]()
        spent = time.perf_counter() - wall, time.process_time() - processor
        print(json.dumps(spent), flush=True)


def built(name: str) -> tuple[Any, int]:
    """Returns a compiled template, and the multiply-adds of a forward pass of its clips."""
    from vdroppath_tf.cost import complexity
    from vdroppath_tf.models.objectives import cross_entropy
    from vdroppath_tf.training.optimizer import GateSGD
    from vdroppath_tf.zoo.constructors import constructors

    template, _ = constructors(name)
    batch, frames, height, width = SHAPES[name]
    sizes = frames, height, width
    model = template(174, clip_shape=sizes, num_train_examples=1000)
    model.compile(GateSGD(0.01, momentum=0.9), cross_entropy())
    return model, batch * complexity(model, clip_shape=sizes).macs


def jobs_of(model: Any, shape: Sequence[int], classes: int) -> dict[str, Callable[[], Any]]:
    """Returns a forward pass, a training step and a matrix product of a compiled Keras model."""
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    clips = tf.constant(rng.integers(0, 256, (*shape, 3)), tf.float32)
    labels = tf.constant(rng.integers(0, classes, shape[0]))
    forward = tf.function(lambda x: model(x, training=False))
    square = tf.random.normal([SIDE, SIDE])
    product = tf.function(lambda a: tf.reduce_sum(a @ a))
    return {
        "forward": lambda: forward(clips).numpy(),
        "step": lambda: model.train_on_batch(clips, labels),
        "product": lambda: product(square).numpy(),
    }


class Worker:
    """A handle to one of the processes, for the process that times them.

    Attributes:
        about: dict, the description that the process printed of itself.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, env=environment
        )
        self.about: dict[str, Any] = self._answer()

    def time(self, job: str) -> list[float]:
        """Runs a job in the process, and returns its wall seconds and processor seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{job}\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())
